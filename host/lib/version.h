/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Versions of Debian packages. */
#ifndef WS_LIB_VERSION_H
#define WS_LIB_VERSION_H

/* Compares two versions without epochs as dpkg does: negative, 0 or positive. */
int version_compare(const char *a, const char *b);

#endif
