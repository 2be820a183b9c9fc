# SPDX-License-Identifier: MIT
#
# gdb on the simulator. The simulated machine uses host signals as its interrupts and exceptions;
# they are normal life and must reach the program without stopping it. gdb reads this file when it
# starts in this directory and ~/.config/gdb/gdbinit allows it:
#
#     add-auto-load-safe-path /path/to/this/directory
#
# or by hand: gdb -x .gdbinit --args build/hal-sim/tayberry --headless --card build/images/card.img

set print pretty on
set pagination off
# The kernel is a library, libtayberry.so: until "run" gdb does not know its functions.
set breakpoint pending on

# Timer, kicks between threads, system calls of user programs, real-time signals.
handle SIGALRM SIGUSR1 SIGUSR2 SIGSYS nostop noprint pass
handle SIG34 SIG35 SIG36 SIG37 SIG38 SIG39 SIG40 SIG41 nostop noprint pass

define quiet-faults
    handle SIGSEGV SIGBUS SIGFPE SIGILL nostop noprint pass
end
document quiet-faults
Let the guest handle its own faults: SIGSEGV, SIGBUS, SIGFPE and SIGILL pass without a stop.
Use it once page faults are part of normal running. "loud-faults" undoes it.
end

define loud-faults
    handle SIGSEGV SIGBUS SIGFPE SIGILL stop print pass
end
document loud-faults
Stop at SIGSEGV, SIGBUS, SIGFPE and SIGILL (how gdb starts).
end

define headless
    set args --headless --clock virtual --card build/images/card.img
end
document headless
Set the program's arguments for a session in this terminal with the repeatable virtual clock.
A stop in the debugger then costs the guest no time.
end

define stacks
    thread apply all backtrace
end
document stacks
Backtrace of every host thread (the CPUs of the simulated board and the helpers).
end

# The kernel's threads live in the guest, where gdb does not see them. These read the kernel's own lists.

# Internal: $kt_node becomes the first node of the tree of threads, then the one behind it, then 0.
define kt-first
    set $kt_node = 'thread.c'::table.all.first
end
document kt-first
Internal to kthreads and kbt: the first thread of the kernel's table.
end

define kt-next
    if $kt_node->child[1]
        set $kt_node = $kt_node->child[1]
        while $kt_node->child[0]
            set $kt_node = $kt_node->child[0]
        end
    else
        while $kt_node->parent && $kt_node->parent->child[1] == $kt_node
            set $kt_node = $kt_node->parent
        end
        set $kt_node = $kt_node->parent
    end
end
document kt-next
Internal to kthreads and kbt: the thread behind the one at hand.
end

define kthreads
    printf "  ID STATE     NAME\n"
    kt-first
    while $kt_node
        set $kt = (struct thread *)((char *)$kt_node - (long)&((struct thread *)0)->all_node)
        printf "%4u ", $kt->id
        output $kt->state
        printf " %s\n", $kt->name
        kt-next
    end
end
document kthreads
List the kernel's threads. See also "kbt".
end

define kbt
    set $kb = (struct thread *)0
    kt-first
    while $kt_node
        set $kt = (struct thread *)((char *)$kt_node - (long)&((struct thread *)0)->all_node)
        if $kt->id == $arg0
            set $kb = $kt
        end
        kt-next
    end
    if $kb == 0
        printf "no kernel thread %d; kthreads lists them\n", $arg0
    else
        if $kb->state == THREAD_RUNNING
            backtrace
        else
            set $kb_rsp = $rsp
            set $kb_rip = $rip
            set $kb_rbp = $rbp
            set $kb_rbx = $rbx
            set $kb_r12 = $r12
            set $kb_r13 = $r13
            set $kb_r14 = $r14
            set $kb_r15 = $r15
            # The order in which hal-sim/host/swap.S pushes them.
            set $kb_sp = (unsigned long *)$kb->context.sp
            set $r15 = $kb_sp[0]
            set $r14 = $kb_sp[1]
            set $r13 = $kb_sp[2]
            set $r12 = $kb_sp[3]
            set $rbx = $kb_sp[4]
            set $rbp = $kb_sp[5]
            set $rip = $kb_sp[6]
            set $rsp = (unsigned long)($kb_sp + 7)
            backtrace
            set $rsp = $kb_rsp
            set $rip = $kb_rip
            set $rbp = $kb_rbp
            set $rbx = $kb_rbx
            set $r12 = $kb_r12
            set $r13 = $kb_r13
            set $r14 = $kb_r14
            set $r15 = $kb_r15
        end
    end
end
document kbt
kbt ID: backtrace of kernel thread ID, also when it does not run. Stop in guest code first (for
example at a breakpoint in the kernel): the registers of the selected host thread are lent to it.
end

define kmsg
    set $km = 'log.c'::state.count
    set $km_at = $km > 40 ? $km - 40 : 0
    while $km_at < $km
        set $km_at = $km_at + 1
        set $km_line = &('log.c'::state.lines[$km_at % 256])
        printf "[%5lu.%06lu] %s\n", $km_line->time / 1000000000, $km_line->time / 1000 % 1000000, $km_line->text
    end
end
document kmsg
The last 40 lines of the kernel's log.
end
