/* SPDX-License-Identifier: MIT */
/*
 * Criteria: every card of the folder TAYBERRY_BAD_CARDS, by the verdict that its list gives:
 *  1. any: the OS comes up to its prompt, every file command ends with content or an error, nothing
 * panics;
 *  2. "good": README.TXT is listed and read;
 *  3. what comes before a damage is shown: a directory whose chain is a loop is listed, then named;
 *  4. "refuse": nothing is mounted; what is wrong stands at the prompt and is what `ls` answers.
 * The cards and the list come from images/mkbad.py.
 */
#include "os.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CARDS_MAX 512

static struct card {
    char name[64];
    char verdict[16];
} cards[CARDS_MAX];
static int card_count;
static const char *folder;

static void find_cards(void)
{
    char path[512], line[512];
    FILE *list;

    snprintf(path, sizeof path, "%s/LIST", folder);
    list = fopen(path, "r");
    while (list && fgets(line, sizeof line, list) && card_count < CARDS_MAX) {
        struct card *card = &cards[card_count];

        if (sscanf(line, "%63[^\t]\t%15[^\t]", card->name, card->verdict) != 2)
            continue;
        card_count++;
    }
    if (list)
        fclose(list);
}

static void try_everything(struct tb_machine *machine, const struct card *card)
{
    static const char *const commands[] = {"ls -a -l /",
                                           "cat /README.TXT",
                                           "cat /VICTIM.TXT",
                                           "ls -a -l /DIR",
                                           "cat /DIR/TROUBLE.TXT",
                                           "ls -l /DIR/SUB",
                                           "cat /DIR/SUB/DEEP.TXT",
                                           "ls /DIR/SUB/DEEP.TXT",
                                           "cat /BIG.TXT",
                                           NULL};

    for (size_t i = 0; commands[i]; i++) {
        (void)os_command(machine, commands[i]);
        ck_assert_msg(tb_state(machine) == TB_RUNNING, "%s: %s", card->name, commands[i]);
    }
}

/* A file that cannot be a card at all is refused before power-on. */
static struct tb_machine *open_card(const struct card *card)
{
    struct tb_config config = os_config();
    struct tb_machine *machine;
    char path[512];

    snprintf(path, sizeof path, "%s/%s.img", folder, card->name);
    config.card = path;
    if (tb_open(&config, &machine)) {
        ck_assert_msg(strcmp(card->verdict, "refuse") == 0, "%s: %s", card->name, tb_error(NULL));
        ck_assert_msg(strlen(tb_error(NULL)) > 20, "%s: %s", card->name, tb_error(NULL));
        return NULL;
    }
    ck_assert_int_eq(tb_power_on(machine), 0);
    os_wait_prompt(machine);
    return machine;
}

START_TEST(a_card_gets_what_it_deserves)
{
    const struct card *card = &cards[_i];
    struct tb_machine *machine = open_card(card);
    bool refuse = strcmp(card->verdict, "refuse") == 0;
    char banner[4096];
    const char *listing;

    if (!machine)
        return;
    snprintf(banner, sizeof banner, "%s", os_output(machine));
    listing = os_command(machine, "ls /");
    if (refuse)
        ck_assert_msg(strstr(listing, "error: /: ") && strstr(banner, "No files: "), "%s: %s%s",
                      card->name, banner, listing);
    if (strcmp(card->verdict, "good") == 0)
        ck_assert_msg(strstr(os_command(machine, "cat /README.TXT"), "README") != NULL, "%s: %s",
                      card->name, listing);
    if (strcmp(card->name, "dir-chain-loop") == 0) {
        listing = os_command(machine, "ls /DIR");
        ck_assert_msg(strstr(listing, "FILE0004\r\n") && strstr(listing, "error: /DIR: "), "%s",
                      listing);
    }
    try_everything(machine, card);
    ck_assert_str_eq(os_command(machine, "echo up"), "up\r\n");
    tb_close(machine);
}
END_TEST

int main(void)
{
    Suite *all = suite_create("cards");
    TCase *bad = tcase_create("bad");

    folder = getenv("TAYBERRY_BAD_CARDS");
    if (folder)
        find_cards();
    if (card_count == 0) {
        printf("Bail out! no cards listed in TAYBERRY_BAD_CARDS\n");
        return 1;
    }
    tcase_set_timeout(bad, 120);
    tcase_add_loop_test(bad, a_card_gets_what_it_deserves, 0, card_count);
    suite_add_tcase(all, bad);
    return os_run_suite(all);
}
