/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The process of Bochs as a file, from which a later Bochs continues. */
#ifndef WS_TARGETS_LAB_BOCHS_IMAGE_H
#define WS_TARGETS_LAB_BOCHS_IMAGE_H

/* 0, a negative errno, or, in the process that continues, 1. */
int clone_image_save(int fd) __attribute__((returns_twice));

/*
 * Returns if there is no image to continue from, or ends the process if the image is not
 * one of a process like this.
 */
void clone_image_restore(void);

#endif
