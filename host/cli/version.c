/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The only file that a new commit rebuilds. */
#include "host/cli/version.h"

#include <version.h> /* generated into the build folder; not the one beside this */

const char *version_text(void)
{
	return WS_VERSION;
}

const char *version_commit(void)
{
	return WS_COMMIT;
}

bool version_dirty(void)
{
	return WS_DIRTY;
}
