/* SPDX-License-Identifier: MIT */
/*
 * png_file.c: libpng's simplified interface into memory, then one write to the file, so that a full
 * disk is seen and no half of a picture stays behind.
 */
#include "draw/png_file.h"

#include <errno.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Takes away what was begun; never a device or a pipe that the person named. */
static void png_file_discard(const char *path)
{
    struct stat status;

    if (stat(path, &status) == 0 && S_ISREG(status.st_mode))
        remove(path);
}

static int png_file_save(const char *path, const void *bytes, size_t n)
{
    FILE *file = fopen(path, "wb");
    int result = 0;

    if (!file)
        return -errno;
    errno = 0;
    if (fwrite(bytes, 1, n, file) != n || fflush(file))
        result = errno ? -errno : -EIO;
    if (fclose(file) && !result)
        result = -errno;
    if (result)
        png_file_discard(path);
    return result;
}

static unsigned char *png_file_to_rgb(const struct canvas *canvas)
{
    size_t n = (size_t)canvas->width * (size_t)canvas->height;
    unsigned char *rgb = malloc(n * 3);

    for (size_t i = 0; rgb && i < n; i++) {
        rgb[i * 3] = (unsigned char)(canvas->pixels[i] >> 16);
        rgb[i * 3 + 1] = (unsigned char)(canvas->pixels[i] >> 8);
        rgb[i * 3 + 2] = (unsigned char)canvas->pixels[i];
    }
    return rgb;
}

int png_file_write(const char *path, const struct canvas *canvas)
{
    unsigned char *rgb = png_file_to_rgb(canvas);
    png_image image;
    png_alloc_size_t size = 0;
    void *bytes = NULL;
    int result = -ENOMEM;

    memset(&image, 0, sizeof(image));
    image.version = PNG_IMAGE_VERSION;
    image.width = (png_uint_32)canvas->width;
    image.height = (png_uint_32)canvas->height;
    image.format = PNG_FORMAT_RGB;
    if (rgb && png_image_write_to_memory(&image, NULL, &size, 0, rgb, 0, NULL))
        bytes = malloc(size);
    if (bytes && png_image_write_to_memory(&image, bytes, &size, 0, rgb, 0, NULL))
        result = png_file_save(path, bytes, size);
    free(bytes);
    free(rgb);
    return result;
}
