/* SPDX-License-Identifier: MIT */
/*
 * abi.c: from a processor's number and arguments to a call and its arguments.
 */
#include "abi/abi.h"

#include "proc/process.h"

#define AT_THIS_DIRECTORY ((uint64_t)-100)
#define AT_NO_FOLLOW 0x100u
#define AT_REMOVE_DIRECTORY 0x200u
#define OPEN_CREAT (0100u | 1u | 01000u)

static uint64_t argument(char letter, const struct sys_args *given)
{
    switch (letter) {
    case '@':
        return AT_THIS_DIRECTORY;
    case 'n':
        return AT_NO_FOLLOW;
    case 'r':
        return AT_REMOVE_DIRECTORY;
    case 'c':
        return OPEN_CREAT;
    case 's':
        return SIGNAL_CHLD;
    case 'v':
        return CLONE_MEMORY | CLONE_VFORK | SIGNAL_CHLD;
    case 'z':
        return 0;
    default:
        return given->value[(letter - '0') % (int)SYS_ARGUMENTS];
    }
}

enum sys_number abi_call(uint64_t number, struct sys_args *args)
{
    const struct sys_args given = *args;
    const struct abi_number *numbers;
    unsigned count;

    numbers = abi_numbers(&count);
    if (number >= count || numbers[number].call == SYS_NONE)
        return SYS_NONE;
    for (unsigned i = 0; numbers[number].order && i < SYS_ARGUMENTS; i++) {
        char letter = numbers[number].order[i];

        if (letter == '\0')
            break;
        args->value[i] = argument(letter, &given);
    }
    return (enum sys_number)numbers[number].call;
}
