/* SPDX-License-Identifier: MIT */
/*
 * test_gpiochip.c: /dev/gpiochip0 as Linux's programs would use it.
 *
 * 1. The chip and its lines tell who they are and whose.
 * 2. Lines asked for are driven and read, also upside down; nobody else gets them meanwhile;
 * closing gives them back.
 * 3. What makes no sense is refused, and touches no line.
 * 4. Edges become events, in order and with numbers.
 * 5. All that can be said in the words of version 1 of the interface, too.
 */
#include "dev/gpio.h"
#include "fs/devfs/gpio/gpiochip.h"
#include "fs/devfs/gpio/old.h"
#include "fs/file.h"
#include "heap/heap.h"
#include "ktest/fs/tests.h"
#include "lib/string.h"

#include <hal/errno.h>
#include <hal/gpio.h>

#define PIN_A 5u
#define PIN_B 6u

/* The chip, opened; NULL: the test has failed, or is skipped for want of /dev. */
static struct file *open_chip(struct ktest_run *run)
{
    struct file *chip = NULL;
    int error = file_open(NULL, "/dev/gpiochip0", FILE_READ_WRITE, 0, &chip);

    if (error == -ENOENT || error == -ENOMEDIUM)
        run->skipped = "no /dev";
    else
        KTEST_EXPECT(run, error == 0);
    return chip;
}

/* Asks for PIN_A and PIN_B with `flags`, both with value `values`. */
static int ask(struct file *chip, uint64_t flags, uint64_t values, struct file **lines)
{
    struct gpio_lines_call *call = kcalloc(1, sizeof(*call));
    struct gpio_abi_lines *request;
    int error;

    if (!call)
        return -ENOMEM;
    request = &call->request;
    request->offsets[0] = PIN_A;
    request->offsets[1] = PIN_B;
    request->count = 2;
    string_copy(request->consumer, sizeof(request->consumer), "ktest");
    request->config.flags = flags;
    request->config.count = 1;
    request->config.exceptions[0].attribute.id = GPIO_ABI_VALUES;
    request->config.exceptions[0].attribute.value = values;
    request->config.exceptions[0].mask = 3;
    error = file_ioctl(chip, GPIO_ABI_GET_LINES, call);
    *lines = call->file;
    kfree(call);
    return error;
}

static uint64_t bits_of(struct ktest_run *run, struct file *lines)
{
    struct gpio_abi_bits bits = {.mask = 3};

    KTEST_EXPECT(run, file_ioctl(lines, GPIO_ABI_GET_BITS, &bits) == 0);
    return bits.bits;
}

void test_gpiochip_info(struct ktest_run *run)
{
    struct gpio_abi_chip about;
    struct gpio_abi_info info = {.offset = 14};
    struct file *chip = open_chip(run);

    if (!chip)
        return;
    KTEST_EXPECT(run, file_ioctl(chip, GPIO_ABI_GET_CHIP, &about) == 0);
    KTEST_EXPECT(run, about.lines == HAL_GPIO_PINS && string_equal(about.name, "gpiochip0"));
    KTEST_EXPECT(run, file_ioctl(chip, GPIO_ABI_GET_INFO, &info) == 0);
    KTEST_EXPECT(run, (info.flags & GPIO_ABI_USED) && string_equal(info.name, "GPIO14"));
    info.offset = HAL_GPIO_PINS;
    KTEST_EXPECT(run, file_ioctl(chip, GPIO_ABI_GET_INFO, &info) == -EINVAL);
    KTEST_EXPECT(run, file_ioctl(chip, 0x1234, &info) == -ENOTTY);
    file_put(chip);
}

static void drive_lines(struct ktest_run *run, struct file *chip, struct file *lines)
{
    struct gpio_abi_bits bits = {.bits = 2, .mask = 2};
    struct gpio_abi_info info = {.offset = PIN_A};
    struct file *others;

    KTEST_EXPECT(run, bits_of(run, lines) == 1);
    KTEST_EXPECT(run, file_ioctl(lines, GPIO_ABI_SET_BITS, &bits) == 0);
    KTEST_EXPECT(run, bits_of(run, lines) == 3);
    KTEST_EXPECT(run, hal_gpio_read(PIN_B) == 1);
    KTEST_EXPECT(run, ask(chip, GPIO_ABI_INPUT, 0, &others) == -EBUSY);
    KTEST_EXPECT(run, file_ioctl(chip, GPIO_ABI_GET_INFO, &info) == 0);
    KTEST_EXPECT(run, info.flags == (GPIO_ABI_USED | GPIO_ABI_OUTPUT));
    KTEST_EXPECT(run, string_equal(info.consumer, "ktest"));
    bits.mask = 4;
    KTEST_EXPECT(run, file_ioctl(lines, GPIO_ABI_SET_BITS, &bits) == -EINVAL);
}

void test_gpiochip_lines(struct ktest_run *run)
{
    struct file *chip = open_chip(run), *lines = NULL;
    char user[GPIO_USER_MAX + 1];

    if (!chip)
        return;
    if (KTEST_EXPECT(run, ask(chip, GPIO_ABI_OUTPUT, 1, &lines) == 0)) {
        drive_lines(run, chip, lines);
        file_put(lines);
    }
    KTEST_EXPECT(run, !gpio_user(PIN_A, user) && !gpio_user(PIN_B, user));
    if (KTEST_EXPECT(run, ask(chip, GPIO_ABI_OUTPUT | GPIO_ABI_ACTIVE_LOW, 1, &lines) == 0)) {
        KTEST_EXPECT(run, bits_of(run, lines) == 1);
        KTEST_EXPECT(run, hal_gpio_read(PIN_A) == 0 && hal_gpio_read(PIN_B) == 1);
        file_put(lines);
    }
    file_put(chip);
}

void test_gpiochip_refusal(struct ktest_run *run)
{
    static const uint64_t bad[] = {
        GPIO_ABI_INPUT | GPIO_ABI_OUTPUT,
        GPIO_ABI_OUTPUT | GPIO_ABI_RISING,
        GPIO_ABI_INPUT | GPIO_ABI_OPEN_DRAIN,
        GPIO_ABI_PULL_UP,
        GPIO_ABI_USED | GPIO_ABI_INPUT,
        UINT64_C(1) << 40,
        GPIO_ABI_INPUT | GPIO_ABI_PULL_UP | GPIO_ABI_PULL_DOWN,
    };
    struct file *chip = open_chip(run), *lines = NULL;
    char user[GPIO_USER_MAX + 1];

    if (!chip)
        return;
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        KTEST_EXPECT(run, ask(chip, bad[i], 0, &lines) == -EINVAL && !lines);
    KTEST_EXPECT(run, !gpio_user(PIN_A, user) && !gpio_user(PIN_B, user));
    file_put(chip);
}

/* True if the next event of `lines` is that one. */
static bool next_is(struct file *lines, uint32_t offset, uint32_t id, uint32_t number)
{
    struct gpio_abi_event event;

    return file_read(lines, &event, sizeof(event)) == sizeof(event) && event.offset == offset &&
           event.id == id && event.number == number;
}

/* Moves inputs that nothing drives by their pulls. */
static void make_events(struct ktest_run *run, struct file *lines)
{
    struct gpio_abi_event event;

    KTEST_EXPECT(run, file_read(lines, &event, 8) == -EINVAL);
    KTEST_EXPECT(run, gpio_set_pull(PIN_A, HAL_GPIO_PULL_UP) == 0);
    KTEST_EXPECT(run, next_is(lines, PIN_A, GPIO_ABI_EVENT_RISING, 1));
    KTEST_EXPECT(run, gpio_set_pull(PIN_B, HAL_GPIO_PULL_UP) == 0);
    KTEST_EXPECT(run, next_is(lines, PIN_B, GPIO_ABI_EVENT_RISING, 2));
    KTEST_EXPECT(run, gpio_set_pull(PIN_A, HAL_GPIO_PULL_DOWN) == 0);
    KTEST_EXPECT(run, next_is(lines, PIN_A, GPIO_ABI_EVENT_FALLING, 3));
}

/* One edge of PIN_A, in the old way. `pull`: it is made by a pull, which stays. */
static void use_old_edges(struct ktest_run *run, struct file *chip, bool pull)
{
    struct gpio_old_edges_call call = {.request = {.offset = PIN_A, .edges = 1}};
    struct gpio_old_event event = {0};

    call.request.flags = GPIO_OLD_INPUT | (pull ? GPIO_OLD_PULL_DOWN : 0u);
    if (!KTEST_EXPECT(run, file_ioctl(chip, GPIO_OLD_GET_EDGES, &call) == 0))
        return;
    KTEST_EXPECT(run, file_read(call.file, &event, sizeof(event) - 1) == -EINVAL);
    if (pull && KTEST_EXPECT(run, gpio_set_pull(PIN_A, HAL_GPIO_PULL_UP) == 0)) {
        KTEST_EXPECT(run, file_read(call.file, &event, sizeof(event)) == sizeof(event));
        KTEST_EXPECT(run, event.id == GPIO_ABI_EVENT_RISING && event.time > 0);
    }
    file_put(call.file);
}

void test_gpiochip_events(struct ktest_run *run)
{
    uint64_t flags = GPIO_ABI_INPUT | GPIO_ABI_PULL_DOWN | GPIO_ABI_RISING | GPIO_ABI_FALLING;
    struct file *chip = open_chip(run), *lines = NULL;

    if (!chip)
        return;
    if (KTEST_EXPECT(run, ask(chip, GPIO_ABI_INPUT | GPIO_ABI_PULL_UP, 0, &lines) == 0)) {
        bool pulls = hal_gpio_read(PIN_A) == 1 && hal_gpio_read(PIN_B) == 1;

        file_put(lines);
        if (!pulls) {
            run->skipped = "pulls do not move pins here";
        } else if (KTEST_EXPECT(run, ask(chip, flags, 0, &lines) == 0)) {
            if (KTEST_EXPECT(run, bits_of(run, lines) == 0))
                make_events(run, lines);
            file_put(lines);
            use_old_edges(run, chip, true);
        }
    }
    file_put(chip);
}

/* Asks for PIN_A and PIN_B as outputs, in the old way. */
static int ask_old(struct file *chip, struct file **lines)
{
    struct gpio_old_handle_call *call = kcalloc(1, sizeof(*call));
    int error;

    if (!call)
        return -ENOMEM;
    call->request.offsets[0] = PIN_A;
    call->request.offsets[1] = PIN_B;
    call->request.count = 2;
    call->request.flags = GPIO_OLD_OUTPUT;
    call->request.values[1] = 1;
    error = file_ioctl(chip, GPIO_OLD_GET_HANDLE, call);
    *lines = call->file;
    kfree(call);
    return error;
}

static void use_old(struct ktest_run *run, struct file *chip, struct file *lines)
{
    struct gpio_old_values values = {.values = {1, 0}};
    struct gpio_old_config config = {.flags = GPIO_OLD_OUTPUT | GPIO_OLD_ACTIVE_LOW};
    struct gpio_old_info info = {.offset = PIN_A};

    KTEST_EXPECT(run, hal_gpio_read(PIN_A) == 0 && hal_gpio_read(PIN_B) == 1);
    KTEST_EXPECT(run, file_ioctl(lines, GPIO_OLD_SET_VALUES, &values) == 0);
    KTEST_EXPECT(run, hal_gpio_read(PIN_A) == 1 && hal_gpio_read(PIN_B) == 0);
    KTEST_EXPECT(run, file_ioctl(lines, GPIO_OLD_SET_CONFIG, &config) == 0);
    KTEST_EXPECT(run, hal_gpio_read(PIN_A) == 1 && hal_gpio_read(PIN_B) == 1);
    KTEST_EXPECT(run, file_ioctl(lines, GPIO_OLD_GET_VALUES, &values) == 0);
    KTEST_EXPECT(run, values.values[0] == 0 && values.values[1] == 0);
    KTEST_EXPECT(run, file_ioctl(chip, GPIO_OLD_GET_INFO, &info) == 0);
    KTEST_EXPECT(run, info.flags == (1 | GPIO_OLD_OUTPUT | GPIO_OLD_ACTIVE_LOW));
    KTEST_EXPECT(run, string_equal(info.name, "GPIO5") && string_equal(info.consumer, "?"));
}

void test_gpiochip_old(struct ktest_run *run)
{
    struct file *chip = open_chip(run), *lines = NULL;

    if (!chip)
        return;
    if (KTEST_EXPECT(run, ask_old(chip, &lines) == 0)) {
        use_old(run, chip, lines);
        file_put(lines);
    }
    use_old_edges(run, chip, false);
    file_put(chip);
}
