/* SPDX-License-Identifier: MIT */
/*
 * directories_list.c: All names of a folder, once each.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int not_dots(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

int main(void)
{
    struct dirent **names;
    char name[16];
    int count;

    mkdir("many", 0755);
    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof(name), "many/%02d", i * 7 % 40);
        close(open(name, O_CREAT | O_WRONLY, 0644));
    }
    count = scandir("many", &names, not_dots, alphasort);
    printf("%d:", count);
    for (int i = 0; i < count; i++)
        printf(" %s%s", names[i]->d_name, names[i]->d_type == DT_REG ? "" : "?");
    printf("\n");
    return 0;
}
