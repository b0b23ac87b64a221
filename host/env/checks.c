/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The settings of this machine, into a result. */
#include "host/env/checks.h"

#include "host/env/settings.h"
#include "host/env/tune.h"
#include "host/result/result.h"

void env_checks_below(struct result *r, const char *root)
{
	const struct env_setting *s = env_settings;

	while (s->id) {
		struct result_check *c = result_add_check(r);
		struct env_finding found;

		env_find(s, root, &found, &s);
		c->id = result_string(r, found.setting->id);
		c->value = result_string(r, found.status == ENV_UNKNOWN ? NULL
									: found.value);
		c->expected = result_string(r, found.setting->good);
		c->status = result_string(r, env_status_name(found.status));
	}
	r->tuned = env_is_tuned(root);
}

void env_checks(struct result *r)
{
	env_checks_below(r, "");
}
