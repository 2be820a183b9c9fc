/* SPDX-License-Identifier: MIT */
/*
 * fake_hal.c: see fake_hal.h. Functions that a unit test has no business calling end the program.
 */
#include "fake_hal.h"

#include "boot/cmdline.h"
#include "boot/tags/tags.h"
#include "cache/cache.h"
#include "heap/heap.h"
#include "lib/log.h"
#include "mem/memory.h"
#include "thread/thread.h"

#include <hal/stream.h>
#include <hal/board.h>
#include <hal/boot.h>
#include <hal/console.h>
#include <hal/context.h>
#include <hal/cpu.h>
#include <hal/display.h>
#include <hal/errno.h>
#include <hal/gpio.h>
#include <hal/irq.h>
#include <hal/machine.h>
#include <hal/time.h>
#include <hal/trace.h>
#include <hal/uart.h>
#include <hal/upcall.h>
#include <hal/user.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RAM_ALIGN (2u << 20)

struct fake_hal fake;

extern uint8_t __start_kstate[], __stop_kstate[];

_Thread_local struct hal_cpu_face hal_cpu_face_here = {.masked = true};
static struct hal_block_request *done;
static bool fill_late; /* RAM is filled only when it is announced */

static HAL_NORETURN void out_of_place(const char *what)
{
    fprintf(stderr, "%s\nfake_hal: %s in a unit test\n", fake.console, what);
    abort();
}

/* A page that is zero is left alone: the host has not made a copy of it for this process yet. */
__attribute__((no_sanitize("address"))) static void zero_kstate(void)
{
    for (volatile uint8_t *p = __start_kstate; p < (volatile uint8_t *)__stop_kstate; p++)
        if (*p)
            *p = 0;
}

/* RAM of the size that there was is taken again: its pages are most of what a start costs. */
static uint8_t *make_ram(uint8_t *old, uint64_t old_bytes, uint64_t bytes)
{
    if (old_bytes == bytes)
        return old;
    free(old);
    return bytes ? aligned_alloc(RAM_ALIGN, (bytes + RAM_ALIGN - 1) / RAM_ALIGN * RAM_ALIGN) : NULL;
}

void fake_hal_reset(uint64_t ram_bytes)
{
    uint8_t *ram = make_ram(fake.ram, fake.ram_bytes, ram_bytes);

    free(fake.first_uses);
    memset(&fake, 0, sizeof fake);
    done = NULL;
    hal_cpu_face_here.masked = true;
    hal_cpu_face_here.id = 0;
    zero_kstate();
    if (ram_bytes == 0)
        return;
    fake.ram = ram;
    if (!fill_late)
        memset(fake.ram, 0xa5, ram_bytes);
    fill_late = false;
    fake.ram_bytes = ram_bytes;
    fake.first_uses = calloc(ram_bytes / HAL_PAGE_SIZE + 1, 1);
    fake.ranges[0] = (struct hal_range){.start = 0, .bytes = ram_bytes};
    fake.range_count = 1;
}

void fake_kernel_start(uint64_t ram_bytes)
{
    fake_kernel_start_with(ram_bytes, "");
}

void fake_kernel_start_with(uint64_t ram_bytes, const char *command_line)
{
    static struct boot_info info;
    struct memory_map map;

    fill_late = true;
    fake_hal_reset(ram_bytes);
    cmdline_init(command_line);
    klog_init();
    alloc_site_init();
    memory_map_build(&info, &map);
    if (frame_init(&map))
        out_of_place("too little RAM");
    heap_init();
    cache_init();
    thread_init();
    hal_cpu_face_here.masked = false;
}

bool fake_panics(void (*body)(void *argument), void *argument)
{
    bool was = hal_cpu_face_here.masked;
    bool panicked = true;

    fake.catching = true;
    if (setjmp(fake.on_stop) == 0) {
        body(argument);
        panicked = false;
    }
    fake.catching = false;
    hal_cpu_face_here.masked = was;
    return panicked;
}

/* ---- cpu.h, context.h, irq.h, time.h ---- */

void hal_cpu_point(void)
{
}

void *hal_cpu_point_with(void *result)
{
    return result;
}

void fake_be_cpu(unsigned cpu)
{
    hal_cpu_face_here.id = (uint8_t)cpu;
}

void hal_irq_unmask(void)
{
    hal_cpu_face_here.masked = false;
}

void hal_cpu_idle(void)
{
    out_of_place("idle");
}

void hal_cpu_relax(void)
{
    fake.now += 100;
}

unsigned hal_cpu_count(void)
{
    return 1;
}

int hal_cpu_start(unsigned cpu)
{
    (void)cpu;
    return -ENOSYS;
}

void hal_cpu_ipi(unsigned cpu)
{
    (void)cpu;
}

void hal_cpu_watch(uint64_t ns)
{
    (void)ns;
}

void hal_cpu_breakpoint(void)
{
    struct hal_fault fault = {.kind = HAL_FAULT_BREAKPOINT, .detail = "breakpoint"};

    (void)hal_upcall_fault(&fault);
}

void hal_context_init(struct hal_context *context, void *stack, size_t bytes,
                      void (*entry)(void *arg), void *arg)
{
    (void)context, (void)stack, (void)bytes, (void)entry, (void)arg;
}

void hal_context_switch(struct hal_context *from, struct hal_context *to)
{
    (void)from, (void)to;
    out_of_place("a context switch");
}

void hal_context_finish(struct hal_context *context)
{
    (void)context;
}

size_t hal_context_backtrace(uintptr_t frame, uintptr_t *addresses, size_t max)
{
    (void)frame, (void)addresses, (void)max;
    return 0;
}

uintptr_t hal_context_code_base(void)
{
    return 0;
}

void hal_irq_enable(enum hal_irq line)
{
    (void)line;
}

void hal_irq_disable(enum hal_irq line)
{
    (void)line;
}

void hal_trace(const struct hal_trace_event *event)
{
    (void)event; /* nobody listens */
}

uint64_t hal_time_now(void)
{
    return fake.now += 10;
}

void hal_timer_set(uint64_t deadline)
{
    (void)deadline;
}

uint64_t hal_time_wall(void)
{
    return 0;
}

/* ---- uart.h, console.h, board.h, display.h, boot.h ---- */

size_t hal_uart_read(uint8_t *bytes, size_t n)
{
    (void)bytes, (void)n;
    return 0;
}

size_t hal_uart_write(const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        hal_console_putc(bytes[i]);
    return n;
}

void hal_uart_notify_room(bool on)
{
    (void)on;
}

bool hal_uart_window(uint16_t *columns, uint16_t *rows)
{
    (void)columns, (void)rows;
    return false;
}

void hal_console_putc(uint8_t byte)
{
    if (fake.console_used < sizeof fake.console - 1)
        fake.console[fake.console_used++] = (char)byte;
}

const char *hal_board_name(void)
{
    return "fake board";
}

void hal_board_led(bool on)
{
    (void)on;
}

int hal_board_entropy(void *bytes, size_t n)
{
    memset(bytes, 0x42, n);
    return 0;
}

unsigned hal_board_choose(const uint32_t *threads, unsigned n)
{
    (void)threads, (void)n;
    return 0;
}

void hal_board_stop(enum hal_stop how, int status)
{
    fake.stop_status = status;
    if (!fake.catching)
        out_of_place(how == HAL_STOP_PANIC ? "a panic" : "a stop");
    longjmp(fake.on_stop, 1);
}

int hal_display_open(uint32_t width, uint32_t height, struct hal_display *display)
{
    (void)width, (void)height, (void)display;
    return -ENODEV;
}

void hal_display_show(uint32_t first, uint32_t count)
{
    (void)first, (void)count;
}

const void *hal_boot_tags(size_t *bytes)
{
    *bytes = fake.tags_bytes;
    return fake.tags_at ? fake.ram + fake.tags_at : NULL;
}

/* ---- mem.h ---- */

bool hal_mem_ram(unsigned index, struct hal_range *range)
{
    if (index < fake.range_count)
        *range = fake.ranges[index];
    return index < fake.range_count;
}

bool hal_mem_reserved(unsigned index, struct hal_range *range)
{
    if (index < fake.reserved_count)
        *range = fake.reserved[index];
    return index < fake.reserved_count;
}

void *hal_mem_pointer(uint64_t physical)
{
    return fake.ram + physical;
}

uint64_t hal_mem_physical(const void *pointer)
{
    return (uint64_t)((const uint8_t *)pointer - fake.ram);
}

void hal_mem_first_use(uint64_t physical, size_t bytes)
{
    fake.first_use_bytes += bytes;
    memset(fake.ram + physical, 0xa5, bytes);
    for (uint64_t page = 0; page < bytes / HAL_PAGE_SIZE; page++)
        fake.first_uses[physical / HAL_PAGE_SIZE + page]++;
}

void hal_mem_close(const void *start, size_t bytes)
{
    (void)start, (void)bytes;
}

void hal_mem_open(const void *start, size_t bytes)
{
    (void)start, (void)bytes;
}

void hal_mem_block(const void *block, size_t bytes, bool zoned)
{
    (void)block, (void)bytes, (void)zoned;
}

void hal_mem_block_end(const void *block, size_t bytes, bool zoned)
{
    (void)block, (void)bytes, (void)zoned;
}

void hal_mem_look(void *to, const void *from, size_t bytes)
{
    memcpy(to, from, bytes);
}

int hal_mem_guard(void *page, bool guarded)
{
    (void)page, (void)guarded;
    return 0;
}

/* ---- block.h: requests are done at once, and found by polling ---- */

int hal_block_probe(struct hal_block_info *info)
{
    if (!fake.card && !fake.card_read)
        return -ENOMEDIUM;
    *info = (struct hal_block_info){.sectors = fake.card_sectors, .description = "fake card"};
    return 0;
}

static int transfer(struct hal_block_request *request)
{
    uint64_t sector = request->sector;

    for (unsigned i = 0; i < request->segment_count; i++) {
        struct hal_block_segment *segment = &request->segments[i];

        if (sector + segment->sectors > fake.card_sectors)
            return -EINVAL;
        if (request->op == HAL_BLOCK_WRITE && fake.card_write)
            fake.card_write(sector, segment->data, segment->sectors);
        else if (request->op == HAL_BLOCK_WRITE)
            memcpy(fake.card_store + sector * HAL_SECTOR_SIZE, segment->data,
                   (size_t)segment->sectors * HAL_SECTOR_SIZE);
        else if (fake.card_read && fake.card_read(sector, segment->data, segment->sectors))
            return -EIO;
        else if (!fake.card_read)
            memcpy(segment->data, fake.card + sector * HAL_SECTOR_SIZE,
                   (size_t)segment->sectors * HAL_SECTOR_SIZE);
        sector += segment->sectors;
    }
    return fake.card_error;
}

int hal_block_submit(struct hal_block_request *request)
{
    int error;

    if (!fake.card && !fake.card_read)
        return -ENOMEDIUM;
    if (request->op != HAL_BLOCK_READ && !fake.card_store)
        return -EROFS;
    fake.flushes += request->op == HAL_BLOCK_FLUSH;
    fake.requests++;
    if (fake.request_limit && fake.requests > fake.request_limit)
        out_of_place("more card requests than the test allows");
    if (fake.card_event)
        fake.card_event(request);
    error = fake.card_fault ? fake.card_fault(request) : 0;
    if (!error)
        error = transfer(request);
    if (error == -EINVAL)
        return error;
    request->result = error;
    request->next = done;
    done = request;
    return 0;
}

struct hal_block_request *hal_block_completed(void)
{
    struct hal_block_request *request = done;

    if (request)
        done = request->next;
    return request;
}

/* ---- gpio.h ---- */

int hal_gpio_set_function(unsigned pin, enum hal_gpio_function function)
{
    (void)function;
    return pin < HAL_GPIO_PINS ? 0 : -EINVAL;
}

int hal_gpio_get_function(unsigned pin)
{
    return pin < HAL_GPIO_PINS ? HAL_GPIO_INPUT : -EINVAL;
}

int hal_gpio_set_pull(unsigned pin, enum hal_gpio_pull pull)
{
    (void)pull;
    return pin < HAL_GPIO_PINS ? 0 : -EINVAL;
}

int hal_gpio_write(unsigned pin, bool high)
{
    (void)high;
    return pin < HAL_GPIO_PINS ? 0 : -EINVAL;
}

int hal_gpio_read(unsigned pin)
{
    return pin < HAL_GPIO_PINS ? 0 : -EINVAL;
}

int hal_gpio_watch(unsigned pin, enum hal_gpio_edge edges)
{
    (void)pin, (void)edges;
    return -ENOSYS;
}

uint32_t hal_gpio_events(void)
{
    return 0;
}

/* ---- user code: there is none; a suite that wants address spaces brings its own ---- */

#define ELSEWHERE __attribute__((weak))

ELSEWHERE int hal_aspace_init(struct hal_aspace *aspace)
{
    (void)aspace;
    return -ENOSYS;
}

ELSEWHERE void hal_aspace_finish(struct hal_aspace *aspace)
{
    (void)aspace;
}

ELSEWHERE int hal_aspace_map(struct hal_aspace *aspace, uintptr_t address, uint64_t physical,
                             size_t pages, unsigned access)
{
    (void)aspace, (void)address, (void)physical, (void)pages, (void)access;
    return -ENOMEM;
}

ELSEWHERE void hal_aspace_unmap(struct hal_aspace *aspace, uintptr_t address, size_t pages)
{
    (void)aspace, (void)address, (void)pages;
}

ELSEWHERE void hal_aspace_protect(struct hal_aspace *aspace, uintptr_t address, size_t pages,
                                  unsigned access)
{
    (void)aspace, (void)address, (void)pages, (void)access;
}

ELSEWHERE unsigned hal_aspace_query(struct hal_aspace *aspace, uintptr_t address,
                                    uint64_t *physical)
{
    (void)aspace, (void)address, (void)physical;
    return 0;
}

ELSEWHERE unsigned hal_aspace_take_marks(struct hal_aspace *aspace, uintptr_t address)
{
    (void)aspace, (void)address;
    return 0;
}

const char *hal_user_refusal(void)
{
    return "A unit test has no user code.";
}

bool hal_user_is_interruptible(void)
{
    return false;
}

void hal_user_init(struct hal_user *user, uintptr_t pc, uintptr_t sp)
{
    (void)user, (void)pc, (void)sp;
}

void hal_user_copy(struct hal_user *to, const struct hal_user *from)
{
    *to = *from;
}

uint64_t hal_user_time(const struct hal_user *user)
{
    return user->ran;
}

void hal_user_run(struct hal_aspace *aspace, struct hal_user *user, struct hal_user_event *event)
{
    (void)aspace, (void)user, (void)event;
    out_of_place("user code");
}

uint64_t hal_user_call(const struct hal_user *user)
{
    (void)user;
    return 0;
}

uint64_t hal_user_argument(const struct hal_user *user, unsigned i)
{
    (void)user, (void)i;
    return 0;
}

void hal_user_set_result(struct hal_user *user, int64_t result)
{
    (void)user, (void)result;
}

uintptr_t hal_user_pc(const struct hal_user *user)
{
    (void)user;
    return 0;
}

uintptr_t hal_user_tls(const struct hal_user *user)
{
    (void)user;
    return 0;
}

void hal_user_set_sp(struct hal_user *user, uintptr_t sp)
{
    (void)user, (void)sp;
}

void hal_user_set_tls(struct hal_user *user, uintptr_t tls)
{
    (void)user, (void)tls;
}

uint64_t hal_user_capabilities(unsigned which)
{
    (void)which;
    return 0;
}

/* Suites with frames of handlers have their own. */
ELSEWHERE uintptr_t hal_user_sp(const struct hal_user *user)
{
    (void)user;
    return 0;
}

ELSEWHERE void hal_user_set_pc(struct hal_user *user, uintptr_t pc)
{
    (void)user, (void)pc;
}

ELSEWHERE uint64_t hal_user_result(const struct hal_user *user)
{
    (void)user;
    return 0;
}

ELSEWHERE void hal_user_repeat_call(struct hal_user *user, uint64_t call)
{
    (void)user, (void)call;
}

ELSEWHERE void hal_user_poke(struct hal_user *user)
{
    (void)user;
}

ELSEWHERE void hal_user_read_registers(const struct hal_user *user,
                                       uint64_t registers[HAL_USER_REGISTERS])
{
    (void)user;
    memset(registers, 0, HAL_USER_REGISTERS * sizeof *registers);
}

ELSEWHERE void hal_user_write_registers(struct hal_user *user,
                                        const uint64_t registers[HAL_USER_REGISTERS])
{
    (void)user, (void)registers;
}

ELSEWHERE size_t hal_user_vector_bytes(const struct hal_user *user)
{
    (void)user;
    return 0;
}

ELSEWHERE void hal_user_read_vectors(const struct hal_user *user, void *image)
{
    (void)user, (void)image;
}

ELSEWHERE int hal_user_write_vectors(struct hal_user *user, const void *image, size_t bytes)
{
    (void)user, (void)image, (void)bytes;
    return 0;
}

ELSEWHERE bool hal_stream_is_there(void)
{
    return false;
}

ELSEWHERE int64_t hal_stream_read(void *bytes, size_t n)
{
    (void)bytes, (void)n;
    return 0;
}

ELSEWHERE size_t hal_stream_write(enum hal_stream stream, const void *bytes, size_t n)
{
    (void)stream, (void)bytes;
    return n;
}

ELSEWHERE void hal_trace_text(const char *text, size_t n)
{
    (void)text, (void)n;
}
