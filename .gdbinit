# SPDX-License-Identifier: MIT
#
# gdb on the simulator. The simulated machine uses host signals as its interrupts and exceptions;
# they are normal life and must reach the program without stopping it. gdb reads this file when it
# starts in this directory and ~/.config/gdb/gdbinit allows it:
#
#     add-auto-load-safe-path /path/to/this/directory
#
# or by hand: gdb -x .gdbinit --args build/hal-sim/tayberry --headless --card build/card.img

set print pretty on
set pagination off

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
    set args --headless --clock virtual --card build/card.img
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
