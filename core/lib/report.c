/* SPDX-License-Identifier: MIT */
/*
 * report.c: see report.h.
 */
#include "lib/report.h"

#include "lib/format.h"

void report_add(struct report *report, const char *format, ...)
{
    size_t at = report->length < report->size ? report->length : report->size;
    va_list args;

    va_start(args, format);
    report->length += format_text_va(report->text + at, report->size - at, format, args);
    va_end(args);
}
