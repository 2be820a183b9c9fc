/* SPDX-License-Identifier: MIT */
/*
 * table.c: all commands in one table, in the order of their names, and what they share.
 */
#include "lib/format.h"
#include "lib/string.h"
#include "shell/commands/command.h"
#include "tty/tty.h"

#include <hal/errno.h>

static const struct command commands[] = {
    {"atags", "[-a]", "the same as tags", NULL, command_tags, false},
    {"blink", "PIN TIME [COUNT]", "switch a pin on and off",
     "The pin is high for TIME, then low for TIME, COUNT times or until the command is ended.\n"
     "Each edge is at a multiple of TIME after the first one; delays do not add up.\n"
     "    blink GPIO17 250ms &     twice a second, while the prompt stays\n",
     command_blink, false},
    {"brk", "", "stop at a breakpoint, which opens the debug shell", NULL, command_brk, true},
    {"cat", "[-b] PATH...", "print files",
     "Files must be UTF-8 text without NUL bytes; -b prints any bytes as they are.\n"
     "The path - is the console: lines until Ctrl-D.\n",
     command_cat, false},
    {"cd", "DIRECTORY", "change the directory that paths start in", NULL, command_cd, true},
    {"clear", "", "clear the screen", NULL, command_clear, true},
    {"cp", "[-r] FROM... TO", "copy files",
     "TO is the new name, or a directory to copy into.\n"
     "-r: directories, too, with all that is in them.\n",
     command_cp, false},
    {"date", "[YYYY-MM-DD HH:MM[:SS]]", "show or set the date and time (UTC)", NULL, command_date,
     true},
    {"df", "", "show how full the file systems are", NULL, command_df, false},
    {"disks", "[DEVICE | PART...]", "show the block devices, or make and remove some",
     "DEVICE: what it has done. PART is one of\n"
     "    order ELEVATOR DEVICE    sort its requests by fifo sstf look clook\n"
     "    scan DEVICE              look for partitions\n"
     "    ram SIZE                 make a RAM disk: 64K, 8M\n"
     "    fault DEVICE             make a disk over another one, that can fail\n"
     "    rule DEVICE none         forget the rules of a fault disk\n"
     "    rule DEVICE KIND [read] [write] [flush] [SECTOR[-SECTOR]] [skip=N] [count=N]\n"
     "                             KIND: fail tear drop lose delay; time=TIME of a delay\n"
     "    seek DEVICE              make a disk over another one, as slow as one with an arm\n"
     "    remove DEVICE            end a RAM disk, or one over another\n",
     command_disks, false},
    {"dmesg", "[-l LEVEL]", "show the kernel's log",
     "LEVEL: only lines at least as grave: error, warning, notice, info, debug, or 3 .. 7.\n",
     command_dmesg, false},
    {"du", "[-s] [PATH...]", "show how much space files take",
     "Sizes are those on the card. -s: only the sum of each PATH.\n", command_du, false},
    {"echo", "[WORD...]", "print the words", NULL, command_echo, true},
    {"find", "[PATH...] [-name PATTERN] [-type TYPE]", "list all files in directories",
     "PATTERN: * is any characters, ? is one; quotes keep it whole: find / -name \"*.txt\"\n"
     "TYPE: f file, d directory, l link, c and b devices, p FIFO.\n",
     command_find_files, false},
    {"fsck", "[-y] [-s] [-q] DEVICE | PATH", "look for damage on a FAT32 volume, or mend it",
     "A volume that is mounted is only looked at; PATH stands for the one that it is on.\n"
     "-y: mend it. -s: mend it, and save clusters that nobody has as FSCKnnnn.REC.\n"
     "-q: only the last line. Ctrl-C stops; a volume that was being mended then says so.\n"
     "    umount /mnt; fsck -y mmcblk0p2\n",
     command_fsck, false},
    {"gpio", "[PIN [ACTION...]]", "show or change the pins",
     "Without arguments: all pins. With a pin alone: its level.\n"
     "Actions, done in turn: in out high low toggle read watch\n"
     "                       pull-up pull-down pull-none (also: up down none)\n"
     "    gpio J8:11 out high      the same as gpio GPIO17 out high\n",
     command_gpio, false},
    {"help", "[COMMAND]", "list the commands, or explain one", NULL, command_help, true},
    {"hexdump", "[-n BYTES] [-s OFFSET] PATH", "print a file as numbers",
     "-n: so many bytes; -s: from there on. Numbers may be hexadecimal: 0x200.\n", command_hexdump,
     false},
    {"history", "", "list the lines typed before", NULL, command_history, true},
    {"kill", "%JOB | ID", "end a command that runs in the background",
     "%1 is what [1] announced. ID is a thread's number as ps shows it.\n", command_kill, true},
    {"ktest", "[NAME | GROUP | all | list] [SIZE]",
     "run the tests inside the kernel (all, if not said)",
     "SIZE: how often the scenarios of core/sync do what they do; each has its usual one.\n"
     "    ktest problem 1000       the classic problems of synchronisation, for long\n",
     command_ktest, false},
    {"lab", "elevator [OPTION=VALUE...] [SECTOR...]", "compare the elevators of disks, on paper",
     "A disk with an arm serves the same requests under each elevator, in virtual time. Without\n"
     "SECTORs the requests are made up: pattern=uniform|hot|rows|ends requests=N seed=N gap=TIME\n"
     "(mean time between two), or past=DEVICE: what it was asked for last. The disk: sectors=N\n"
     "track=N rpm=N start=SECTOR. bound=N: how often a request may be passed.\n"
     "    lab elevator 98 183 37 122 14 124 65 67 start=53 sectors=200 track=1 rpm=0\n",
     command_lab, false},
    {"led", "on | off | blink [TIME [COUNT]]", "the board's green activity LED", NULL, command_led,
     false},
    {"ln", "[-s] TARGET NAME", "give a file another name",
     "-s: a symbolic link, which holds TARGET as text. FAT32 has neither.\n", command_ln, false},
    {"locks", "[held | order | time on | time off]",
     "show locks: how often, by whom, in which order",
     "held: who holds a lock at this moment, and who waits for one.\n"
     "order: which lock was taken under which, and where that was first seen.\n"
     "time on: from now on measure how long locks are held; that itself takes time.\n",
     command_locks, false},
    {"ls", "[-a] [-l] [PATH...]", "list directories",
     "-a: hidden files and names that begin with a dot, too.\n"
     "-l: type and flags (d directory, r read-only, h hidden, s system), size, time, name.\n",
     command_ls, false},
    {"mem", "[map [plain] | top [ORDER] [COUNT] | leaks | ADDRESS [BYTES]]",
     "show how memory is used, or what is in it",
     "map: a picture of RAM; plain: without colours.\n"
     "top: the lines of the source that hold most memory; ORDER: bytes, calls or failures.\n"
     "leaks: the lines that hold more than they did at the first prompt.\n"
     "ADDRESS is physical: RAM that the kernel manages, or the boot tags (0x100). Numbers may be\n"
     "hexadecimal: 0x100.\n",
     command_mem, false},
    {"mkdir", "[-p] PATH...", "make directories",
     "-p: also those that they are in; and none is an error that is there already.\n",
     command_mkdir, false},
    {"mkfs", "[-n LABEL] [-c CLUSTER] DEVICE", "make an empty FAT32 volume; what was there is lost",
     "LABEL: up to 11 characters. CLUSTER: bytes, 512 to 64K; if not said, by the size.\n"
     "    disks ram 8M; mkfs -n SCRATCH ram0; mkdir /mnt; mount ram0 /mnt\n",
     command_mkfs, false},
    {"mount", "[[-t TYPE] [-o OPTIONS] DEVICE PATH]", "show or mount file systems",
     "PATH is the directory that the file system covers. TYPE is fat32 if not said.\n"
     "OPTIONS have commas between them: ro, and what the file system knows.\n"
     "    mount -o ro mmcblk0p2 /mnt; mount -t ramfs none /tmp\n",
     command_mount, false},
    {"mv", "[-n] FROM... TO", "move or rename files and directories",
     "TO is the new name, or a directory to move into. A file of the new name is replaced, in one\n"
     "step; -n: it is not. To another file system it is a copy and a removal.\n",
     command_mv, false},
    {"nice", "LEVEL THREAD...", "give threads a larger or smaller share",
     "LEVEL: -20 (much) .. 19 (little), 1.25 times for each step, under fair, stride and lottery.\n"
     "THREAD: its number, as ps shows it, or %JOB.\n"
     "    nice 5 %1\n",
     command_nice, true},
    {"panic", "[TEXT...]", "stop the kernel as if it could not go on", NULL, command_panic, true},
    {"poweroff", "[STATUS]", "switch off; STATUS (0 .. 255) goes to who watches", NULL,
     command_poweroff, true},
    {"priority", "LEVEL THREAD...", "make threads more or less important",
     "LEVEL: 0 (first) .. 31 (last), under the policy priority. THREAD: its number, as ps shows\n"
     "it, or %JOB.\n",
     command_priority, true},
    {"ps", "", "list the threads",
     "SHARE is the part of one CPU's time since the last ps (at first: since power-on). CPU is\n"
     "where it runs or ran last, MAY where it may run. PRI and NICE are what the policies go by;\n"
     "with a * one of them is lent by a thread that waits for a mutex of this one.\n",
     command_ps, false},
    {"pwd", "", "print the directory that paths start in", NULL, command_pwd, true},
    {"reboot", "", "start anew", NULL, command_reboot, true},
    {"rm", "[-r] [-f] PATH...", "remove files",
     "-r: directories, too, with all that is in them. -f: what is not there is no error.\n",
     command_rm, false},
    {"rmdir", "PATH...", "remove empty directories", NULL, command_rmdir, false},
    {"run", "PROGRAM [ARGUMENT...]", "run a Linux program, and wait for it",
     "PROGRAM is a path: a static ELF file for this processor, or a script. Ctrl-C ends it.\n"
     "    run /bin/busybox sh\n",
     command_run, false},
    {"sched", "[POLICY | quantum TIME | lab POLICY [OPTION=VALUE...] [turns] JOB...]",
     "show how the CPUs are shared, change that, or try it on paper",
     "Without arguments: what each CPU does and has done. LOAD is the part of the time since the\n"
     "last sched (at first: since power-on) in which it was busy; ARRIVED are threads that came\n"
     "from another CPU, STOLEN those of them that it fetched when it had nothing to do.\n"
     "POLICY: from now on threads have their turns by fifo rr priority stride lottery feedback\n"
     "fair sjf or srt. Of these fifo, priority, sjf and srt let a thread run until it gives way.\n"
     "quantum: the unit of their time slices; 0 is the policy's own choice.\n"
     "    sched fair; sched quantum 5ms\n"
     "lab: a mix of jobs in virtual time, as a Gantt chart with response, waiting and turnaround\n"
     "times. A JOB is NAME:ARRIVAL:RUN[:RANK]; RANK: 0 (first) .. 31 for priority, else a nice\n"
     "level: -20 (much) .. 19 (little). OPTION: quantum (1), cpus (1), period, levels, seed (of\n"
     "lottery). turns: list them too.\n"
     "    sched lab rr quantum=2 A:0:5 B:1:3.5 C:2:8      three jobs, round robin\n",
     command_sched, false},
    {"slabs", "[-a]", "show the caches of objects, and how full they are",
     "-a: also those that were never used.\n"
     "LIVE objects are in use; CACHED ones are free and in a CPU's magazine; USE is the share of\n"
     "the slabs' memory that objects in use have.\n",
     command_slabs, false},
    {"sleep", "TIME", "wait", "A bare number is seconds: sleep 2, sleep 1.5s, sleep 200ms.\n",
     command_sleep, false},
    {"spawn", "N TIME [--pure]", "start N busy threads for a while, in the background",
     "Watch them with ps. --pure: loops that call nothing at all, so that only the timer\n"
     "interrupt can take the processor from them.\n",
     command_spawn, false},
    {"stat", "PATH...", "show all that is known about files", NULL, command_stat, false},
    {"sync", "", "put all that was written on the card, to stay", NULL, command_sync, false},
    {"tags", "[-a]", "show what the boot loader said about the board",
     "That is a list of ATAGs, or what concerns memory and the command line in a device tree.\n"
     "-a: all of the device tree.\n",
     command_tags, false},
    {"time", "COMMAND [ARGUMENT...]", "run a command and say how long it took", NULL, command_time,
     false},
    {"top", "[TIME [COUNT]]", "show the busiest threads and the CPUs, live; q leaves",
     "TIME: between two pictures (1 s); COUNT: how many (until q or Ctrl-C).\n"
     "The columns are those of ps; shares are of the time since the picture before.\n",
     command_top, false},
    {"touch", "[-c] PATH...", "set the time of files to now, or make them", "-c: make none.\n",
     command_touch, false},
    {"trace", "[COUNT]", "show the last things that the CPUs did",
     "COUNT events (40, if not said), in the text of Linux's ftrace, which trace viewers read.\n"
     "Each CPU keeps its last 128.\n",
     command_trace, false},
    {"tree", "[-a] [PATH...]", "draw directories and what is in them",
     "-a: hidden files and names that begin with a dot, too.\n", command_tree, false},
    {"truncate", "-s SIZE PATH...", "make files so long: cut, or with zeros added",
     "SIZE: bytes, or with K, M or G. Files that are not there are made.\n", command_truncate,
     false},
    {"umount", "PATH...", "take file systems away",
     "PATH is the directory or the device. All is put on the card first.\n", command_umount, false},
    {"uptime", "", "show the time since power-on, and how much of it was idle", NULL,
     command_uptime, true},
    {"write", "[-a] PATH [WORD...]", "write the words and a newline to a file",
     "The file is made, or replaced; -a: they are added at its end.\n", command_write, false},
};

const struct command *command_at(unsigned index)
{
    return index < sizeof(commands) / sizeof(commands[0]) ? &commands[index] : NULL;
}

const struct command *command_find(const char *name)
{
    const struct command *command;

    for (unsigned i = 0; (command = command_at(i)) != NULL; i++) {
        if (string_equal(command->name, name))
            break;
    }
    return command;
}

static void command_error_va(const char *format, va_list args) HAL_FORMAT(1, 0);

static void command_error_va(const char *format, va_list args)
{
    char text[256];
    va_list again;

    va_copy(again, args);
    if (format_text_va(text, sizeof(text), format, args) < sizeof(text)) {
        tty_print("error: %s\n", text);
    } else { /* too long to be one piece, and its end says why */
        tty_print("error: ");
        tty_print_va(format, again);
        tty_print("\n");
    }
    va_end(again);
}

void command_error(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    command_error_va(format, args);
    va_end(args);
}

void command_usage(const struct job *job, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    command_error_va(format, args);
    va_end(args);
    tty_print("usage: %s%s%s\n", job->command->name, job->command->arguments[0] ? " " : "",
              job->command->arguments);
}

const char *command_error_text(int error)
{
    static const struct {
        int error;
        const char *text;
    } texts[] = {
        {ENOENT, "no such file or directory"},
        {EINTR, "interrupted"},
        {EIO, "the card cannot be read, or what it holds is damaged"},
        {ENOMEM, "out of memory"},
        {EBUSY, "in use"},
        {ENOTDIR, "not a directory"},
        {EISDIR, "a directory"},
        {EINVAL, "not allowed here"},
        {ENAMETOOLONG, "the name is too long"},
        {EILSEQ, "not UTF-8 text"},
        {ELOOP, "too many symbolic links, or the file system is damaged: a chain loops"},
        {ETIMEDOUT, "the card did not answer in time"},
        {ENOMEDIUM, "no usable card"},
        {EEXIST, "there is one already"},
        {ENOTEMPTY, "not empty"},
        {ENOSPC, "no space is left"},
        {EROFS, "read-only"},
        {EXDEV, "on another file system"},
        {EFBIG, "too large"},
        {ENODEV, "no such file system"},
        {ENXIO, "no such device"},
        {EBADF, "not open for that"},
        {ESPIPE, "has no places"},
        {ENOTTY, "not such a device"},
        {EMLINK, "too many links"},
        {EPIPE, "nobody reads it"},
        {ENOTSUP, "not supported"},
        {EFAULT, "not RAM"},
        {EPERM, "not allowed"},
        {EACCES, "read-only, or not accessible"},
    };

    for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (texts[i].error == -error)
            return texts[i].text;
    }
    return "failed";
}

bool command_takes_none(const struct job *job)
{
    if (job->args.count == 1)
        return true;
    command_usage(job, "%s takes no arguments", job->command->name);
    return false;
}

bool command_number(const struct job *job, const char *text, uint64_t max, uint64_t *number)
{
    const char *end;
    int error = string_to_u64(text, number, &end);

    if (error == -EINVAL || (error == 0 && *end != '\0'))
        command_usage(job, "%s is not a number", text);
    else if (error != 0 || *number > max)
        command_usage(job, "%s is too large: %llu at most", text, (unsigned long long)max);
    else
        return true;
    return false;
}

bool command_duration(const struct job *job, const char *text, uint64_t *ns)
{
    if (string_to_duration(text, 1000000000, ns) == 0)
        return true;
    command_usage(job, "%s is not a length of time (say 250ms, 2s, 1m)", text);
    return false;
}
