/* SPDX-License-Identifier: MIT */
/*
 * os_memory_scenarios.c: what people do at the prompt, as far as memory may be wanted for it.
 *
 * Each command of the shell is here, and each way through the kernel that allocates. A scenario is
 * one command where it can be, so that "as before the command" has a meaning.
 */
#include "os_memory_sweep.h"

#define LINE(text) \
    { \
        { \
            .type = text "\r" \
        } \
    }

#define KTEST(tests_) \
    .name = "ktest " tests_, .steps = LINE("ktest " tests_), .tests = true, .sampled = true, \
    .varies = true

#define RAMFS "mount -t ramfs none /docs\r"
#define CLEAN "rm -r -f /docs/a\r"
#define TREE "mkdir /docs/tree\rwrite /docs/tree/b b\rmkdir /docs/tree/d\rln -s d /docs/tree/l\r"
#define RETREE "rm -r -f /docs/tree\r" TREE
#define FTREE "mkdir /docs/tree\rwrite /docs/tree/b b\rmkdir /docs/tree/d\r"
#define REFTREE "rm -r -f /docs/tree\r" FTREE

/* A small FAT32 volume, which the snapshot brings back because it is in memory. */
#define DISK "disks ram 128K\rmkfs -c 512 ram0\r"
#define VOLUME DISK "mount ram0 /docs\r"
#define CHECKED "umount /docs\rfsck -q ram0\r"
#define AGAIN CHECKED "mount ram0 /docs\r"
/* The same as it was in the middle of its use: what umount writes is dropped. */
#define USED \
    DISK "disks fault ram0\rmount fault0 /docs\r" FTREE "sync\r" \
         "disks rule fault0 drop write\rumount /docs\rdisks remove fault0\r"
#define ON_VOLUME(prepare_, line_, finish_) \
    .prepare = VOLUME prepare_, .steps = LINE(line_), .finish = finish_ AGAIN, .volume = true

#define DEEP "/deep/level\\ 01/level\\ 02/level\\ 03/level\\ 04/level\\ 05/level\\ 06/here.txt"

#define PROGRAMS RAMFS "run /bin/probe copy /docs/p\rrun /bin/probe script /docs/s /docs/p\r"

const struct sweep_scenario sweep_scenarios[] = {
    /* Programs. */
    {.name = "run", .steps = LINE("run /bin/probe exit")},
    {.name = "run, not there", .steps = LINE("run /bin/none")},
    {.name = "run of a file in memory", .prepare = PROGRAMS, .steps = LINE("run /docs/p exit")},
    {.name = "run of a script", .prepare = PROGRAMS, .steps = LINE("run /docs/s")},
    {.name = "fork", .steps = LINE("run /bin/probe fork")},
    {.name = "exec", .steps = LINE("run /bin/probe exec /bin/probe")},
    {.name = "memory of a program", .steps = LINE("run /bin/probe memory")},
    {.name = "files of a program",
     .prepare = RAMFS "write /docs/a word\r",
     .steps = LINE("run /bin/probe files /docs"),
     .finish = "rm -f /docs/a /docs/b\rwrite /docs/a word\r"},
    {.name = "waits of a program", .steps = LINE("run /bin/probe wait")},
    {.name = "signals of a program", .steps = LINE("run /bin/probe signals")},
    {.name = "the system of a program",
     .prepare = RAMFS "mkdir /docs/m\r",
     .steps = LINE("run /bin/probe system /docs/m"),
     .finish = "umount /docs/m\r"},
    /* Files. */
    {.name = "ls", .steps = LINE("ls")},
    {.name = "ls -a -l", .steps = LINE("ls -a -l /names")},
    {.name = "ls of two", .steps = LINE("ls /docs /README.TXT")},
    {.name = "ls of nothing", .steps = LINE("ls /none")},
    {.name = "cat", .steps = LINE("cat /README.TXT")},
    {.name = "cat of many", .steps = LINE("cat /data/size-4097 /none /docs/Pins\\ and\\ LEDs.txt")},
    {.name = "cat of a deep path", .steps = LINE("cat " DEEP)},
    {.name = "cat of a file in many pieces", .card = "good-small", .steps = LINE("cat /FRAG.TXT")},
    {.name = "cat of bytes", .steps = LINE("cat -b /data/size-513")},
    {.name = "cat of the console", .steps = {{.type = "cat -\r"}, {.type = "one\r\004"}}},
    {.name = "hexdump", .steps = LINE("hexdump -s 4000 -n 200 /data/offsets.txt")},
    {.name = "cd", .steps = LINE("cd /docs/../deep")},
    {.name = "pwd", .prepare = "cd /docs\r", .steps = LINE("pwd; ls")},
    {.name = "a file in a folder of a thousand", .steps = LINE("ls /many/0700-entry.txt")},
    {.name = "a folder of a thousand", .steps = LINE("ls /many"), .sampled = true},
    /* Files that change, on a ramfs: the card is read-only here. */
    {.name = "mount", .steps = LINE("mount -t ramfs none /docs"), .finish = "umount /docs\r"},
    {.name = "mount and df", .steps = LINE("mount; df")},
    {.name = "umount", .prepare = RAMFS, .steps = LINE("umount /docs"), .finish = RAMFS},
    {.name = "umount of a device", .steps = LINE("umount ramfs")},
    {.name = "mkdir", .prepare = RAMFS, .steps = LINE("mkdir /docs/a")},
    {.name = "mkdir -p", .prepare = RAMFS, .steps = LINE("mkdir -p /docs/a/b"), .finish = CLEAN},
    {.name = "touch", .prepare = RAMFS, .steps = LINE("touch /docs/a"), .finish = CLEAN},
    {.name = "write", .prepare = RAMFS, .steps = LINE("write /docs/a word"), .finish = CLEAN},
    {.name = "truncate",
     .prepare = RAMFS,
     .steps = LINE("truncate -s 9K /docs/a"),
     .finish = CLEAN},
    {.name = "ln", .prepare = RAMFS "write /docs/x x\r", .steps = LINE("ln /docs/x /docs/y")},
    {.name = "ln -s", .prepare = RAMFS, .steps = LINE("ln -s / /docs/a")},
    {.name = "a link",
     .prepare = RAMFS "ln -s / /docs/a\r",
     .steps = LINE("ls -l /docs/a /docs/a/")},
    {.name = "cp", .prepare = RAMFS, .steps = LINE("cp /README.TXT /docs/a"), .finish = CLEAN},
    {.name = "cp of two pages",
     .prepare = RAMFS,
     .steps = LINE("cp /data/size-4097 /docs/a"),
     .finish = CLEAN},
    {.name = "cp -r",
     .prepare = RAMFS TREE,
     .steps = LINE("cp -r /docs/tree /docs/a"),
     .finish = CLEAN},
    {.name = "mv", .prepare = RAMFS TREE, .steps = LINE("mv /docs/tree/b /docs/tree/c")},
    {.name = "mv to another file system",
     .prepare = RAMFS TREE "mount -t ramfs none /names\r",
     .steps = LINE("mv /docs/tree /names"),
     .finish = "rm -r -f /names/tree /docs/tree\r" TREE},
    {.name = "rm", .prepare = RAMFS TREE, .steps = LINE("rm /docs/tree/b")},
    {.name = "rm -r", .prepare = RAMFS TREE, .steps = LINE("rm -r /docs/tree"), .finish = RETREE},
    {.name = "rmdir", .prepare = RAMFS "mkdir /docs/a\r", .steps = LINE("rmdir /docs/a")},
    /* The same on FAT32. */
    {.name = "mkfs", .prepare = DISK, .steps = LINE("mkfs -c 512 ram0")},
    {.name = "fsck", .prepare = DISK, .steps = LINE("fsck ram0")},
    {.name = "fsck of what is mounted", .prepare = VOLUME, .steps = LINE("fsck /docs")},
    {.name = "fsck -y",
     .prepare = USED,
     .steps = LINE("fsck -y ram0"),
     .finish = "fsck -y ram0\rfsck -q ram0\r",
     .volume = true},
    {.name = "mount of a volume",
     .prepare = DISK,
     .steps = LINE("mount ram0 /docs"),
     .finish = CHECKED,
     .volume = true},
    {.name = "mount of a volume that was in use",
     .prepare = USED,
     .steps = LINE("mount ram0 /docs"),
     .finish = "umount /docs\rmount ram0 /docs\r" CHECKED,
     .volume = true},
    {.name = "mkdir and write on a volume",
     ON_VOLUME("", "mkdir /docs/a; write /docs/a/A\\ name\\ of\\ its\\ own words", CLEAN)},
    {.name = "write -a on a volume", ON_VOLUME(FTREE, "write -a /docs/tree/b more; sync", REFTREE)},
    {.name = "truncate on a volume", ON_VOLUME("", "truncate -s 9K /docs/a; sync", CLEAN)},
    {.name = "cp -r on a volume", ON_VOLUME(FTREE, "cp -r /docs/tree /docs/a; sync", CLEAN)},
    {.name = "mv on a volume", ON_VOLUME(FTREE, "mv /docs/tree/b /docs/tree/d/c; sync", REFTREE)},
    {.name = "rm -r on a volume", ON_VOLUME(FTREE, "rm -r /docs/tree; sync", REFTREE)},
    {.name = "umount of a volume",
     .prepare = VOLUME FTREE,
     .steps = LINE("umount /docs"),
     .finish = CHECKED "mount ram0 /docs\r",
     .volume = true},
    {.name = "a file of procfs", .steps = LINE("cat /proc/mounts")},
    {.name = "a disk as a file", .steps = LINE("hexdump -n 64 /dev/mmcblk0")},
    {.name = "stat", .steps = LINE("stat /docs /README.TXT")},
    {.name = "tree", .steps = LINE("tree /names")},
    {.name = "find", .steps = LINE("find /docs -name \"*.txt\"")},
    {.name = "du", .steps = LINE("du /docs")},
    {.name = "sync", .steps = LINE("sync")},
    /* The line. */
    {.name = "completion of a command", .steps = {{.type = "hexd\t"}}},
    {.name = "completion of a path", .steps = {{.type = "cat /RE\t"}}},
    {.name = "a list of commands", .steps = {{.type = "l\t\t"}}},
    {.name = "a list of names", .steps = {{.type = "cat /names/\t\t"}}},
    {.name = "history", .prepare = "echo one\recho two\r", .steps = LINE("history")},
    {.name = "a line of the history", .prepare = "ls /docs\r", .steps = {{.type = "\x1b[A\r"}}},
    {.name = "a long line", .steps = LINE("ls /docs; ls /names; cat /README.TXT; echo long")},
    /* Threads. */
    {.name = "names of files", .steps = LINE("echo /do*/*.txt nothing*")},
    {.name = "names of files in the background", .steps = LINE("ls /docs/*.txt &")},
    {.name = "a background command", .steps = LINE("ls /docs &")},
    {.name = "several background commands",
     .steps = {{.type = "sleep 10ms & sleep 20ms & cat /README.TXT & sleep 5ms\r"}}},
    {.name = "spawn", .steps = LINE("spawn 3 5ms")},
    {.name = "spawn in the background", .steps = LINE("spawn 2 5ms &")},
    {.name = "sleep", .steps = LINE("sleep 10ms")},
    {.name = "kill",
     .prepare = "sleep 1000 &\r",
     .steps = LINE("sleep 2000 & kill %2; ps"),
     .finish = "kill %2\r"},
    {.name = "Ctrl-C", .steps = {{.type = "sleep 1000\r", .ms = 20}, {.type = "\003"}}},
    {.name = "ps", .steps = LINE("ps")},
    {.name = "top", .steps = LINE("top 10ms 3")},
    {.name = "top until q", .steps = {{.type = "top 10ms\r", .ms = 30}, {.type = "q"}}},
    {.name = "nice", .steps = LINE("nice 5 %1 1; priority 40 1; priority 3 1; ps")},
    {.name = "locks", .steps = LINE("locks; locks order; locks held")},
    {.name = "uptime", .steps = LINE("uptime")},
    {.name = "sched", .steps = LINE("sched; sched fair; sched rr; sched none; sched quantum 0")},
    {.name = "sched lab", .steps = LINE("sched lab rr A:0:3 B:1:2")},
    {.name = "disks", .steps = LINE("disks; disks mmcblk0")},
    {.name = "disks scan", .steps = LINE("disks scan mmcblk0")},
    {.name = "disks that come and go",
     .steps = LINE("disks ram 64K; disks fault ram0; disks rule fault0 fail; disks seek ram0; "
                   "disks remove fault0; disks remove seek0; disks remove ram0"),
     .finish = "disks remove fault0; disks remove seek0; disks remove ram0\r"},
    {.name = "lab elevator", .steps = LINE("lab elevator requests=10")},
    {.name = "trace", .steps = LINE("trace 30; trace 0")},
    {.name = "time", .steps = LINE("time cat /README.TXT"), .varies = true},
    /* Pins. */
    {.name = "gpio", .steps = LINE("gpio")},
    {.name = "gpio actions", .steps = LINE("gpio GPIO17 read")},
    {.name = "gpio watch",
     .steps = {{.type = "gpio GPIO22 watch\r", .ms = 10},
               {.pin = 22, .level = TB_HIGH, .ms = 10},
               {.pin = 22, .level = TB_LOW, .ms = 10},
               {.pin = 22, .level = TB_FLOATING, .ms = 10},
               {.type = "\003"}}},
    {.name = "blink", .steps = LINE("blink GPIO17 4ms 3")},
    {.name = "blink in the background",
     .steps = {{.type = "blink GPIO17 4ms &\r", .ms = 30}},
     .finish = "ps\rkill %1\r"},
    {.name = "led", .steps = LINE("led blink 1ms 2")},
    /* The system. */
    {.name = "mem", .steps = LINE("mem")},
    {.name = "mem of an address", .steps = LINE("mem 0x100 64")},
    {.name = "mem map", .steps = LINE("mem map")},
    {.name = "mem top", .steps = LINE("mem top")},
    {.name = "slabs", .steps = LINE("slabs -a")},
    {.name = "tags", .steps = LINE("tags -a")},
    {.name = "dmesg", .steps = LINE("dmesg")},
    {.name = "date", .steps = LINE("date")},
    {.name = "echo and clear", .steps = LINE("echo one two; clear")},
    {.name = "help", .steps = LINE("help; help ls")},
    {.name = "unknown", .steps = LINE("nonsense; ls 'open")},
    {.name = "brk", .steps = {{.type = "brk\rthreads\rcontinue\r"}}},
    {.name = "no card",
     .steps = {{.card = ""},
               {.type = "cat /data/size-513\r"},
               {.card = "standard"},
               {.type = "cat /README.TXT\r"}},
     .lasting = true},
    /* The kernel's own tests. */
    {KTEST("thread.join_waits_for_the_end")},
    {KTEST("thread.sleepers_wake_in_the_order_of_their_deadlines")},
    {KTEST("thread.cancel_ends_a_sleep")},
    {KTEST("thread.detached_threads_free_themselves")},
    {KTEST("thread.many_threads_give_all_memory_back")},
    {KTEST("thread.a_stack_has_a_guard_page")},
    {KTEST("thread.stacks_have_the_size_asked_for")},
    {KTEST("thread.each_has_its_own_storage")},
    {KTEST("smp.a_thread_runs_where_it_may")},
    {KTEST("smp.threads_begin_and_end_in_crowds"), .crowded = true},
    {KTEST("smp.detached_threads_end_in_crowds"), .crowded = true},
    {KTEST("smp.a_thousand_threads")},
    {KTEST("cpio")},
    {KTEST("gpiochip.lines_are_driven_and_read")},
    {KTEST("gpiochip.speaks_the_old_way_too")},
    {KTEST("pipe")},
    {KTEST("block.threads_find_what_they_wrote")},
    {KTEST("block.a_request_is_seen_as_a_whole")},
    {KTEST("block.a_delayed_request_comes_late")},
    {KTEST("block.a_lost_request_ends_in_time")},
    {KTEST("block.requests_may_come_back_for_long")},
    {KTEST("block.disks_come_and_go")},
    {KTEST("block.memory_of_any_alignment_will_do")},
    {KTEST("mutex")},
    {KTEST("wait")},
    {KTEST("spinlock")},
    {KTEST("rwlock.readers_share_and_writers_do_not")},
    {KTEST("timer.very_many")},
    {KTEST("work.in_the_order_of_submission")},
    {KTEST("problem.producers_and_consumers")},
    {KTEST("problem.traffic_intersection")},
    {KTEST("race.cancel_against_wake_up")},
    {KTEST("race.end_against_join")},
    {KTEST("race.work_against_cancel")},
    {KTEST("frame"), .hungry = true},
    {KTEST("heap"), .hungry = true},
    {KTEST("cache.writes_race_with_the_flusher")},
    {KTEST("calls.a_few_ask_for_anything"), .finish = "umount /docs\r"},
    {KTEST("vm.threads_share_a_space")},
    {KTEST("vm.forks_race_with_writes")},
    {KTEST("fat32.changes_go_to_the_card_by_themselves")},
    {KTEST("fat32.requests_may_be_late"), .wide = true},
    {KTEST("time"), .wide = true},
    {KTEST("fs"), .wide = true},
    {KTEST("vfs"), .wide = true},
    {KTEST("speed")},
    {KTEST("list")},
};

const int sweep_scenario_count = sizeof sweep_scenarios / sizeof sweep_scenarios[0];
