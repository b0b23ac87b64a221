/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The settings of VMMs' VMs, bench/shapes.def: whether KVM offers one, and applying those
 * of a VM's configuration. ARCH/settings.c has what each consists of.
 */
#include "host/vmm/arch.h"
#include "host/vmm/kvm_ioctl.h"

int setting_check(enum setting_id id, int kvm_fd, struct error *err)
{
	const struct vm_setting *s = &vm_settings[id];
	uint64_t offered;

	if (!s->cap)
		return 0;
	offered = (uint64_t)kvm_check_cap(kvm_fd, s->cap);
	if (s->bits ? (offered & s->bits) == s->bits : offered != 0)
		return 0;
	return error_set(err, -ENOTSUP, "this KVM does not offer %s: %s",
			 setting_table[id].name, s->lacks);
}

void settings_configure(struct vm_config *config)
{
	unsigned int i;

	for (i = 0; i < SETTINGS; i++)
		if (config->settings & 1u << i && vm_settings[i].configure)
			vm_settings[i].configure(config);
}

static int enable(struct vm *vm, const struct vm_setting *s, const char *name)
{
	struct kvm_enable_cap cap = { .cap = (uint32_t)s->cap };

	/* 1 is "on" for capabilities without bits, and ignored by others. */
	cap.args[0] = s->argument ? s->argument : s->bits ? s->bits : 1;
	return vm_ioctl_on(vm, KVM_ENABLE_CAP, &cap, "of setting %s", name);
}

int settings_early(struct vm *vm)
{
	unsigned int i;
	int err = 0;

	for (i = 0; !err && i < SETTINGS; i++) {
		const struct vm_setting *s = &vm_settings[i];

		if (!(vm->config.settings & 1u << i))
			continue;
		if (s->enable)
			err = enable(vm, s, setting_table[i].name);
		if (!err && s->early)
			err = s->early(vm);
	}
	return err;
}

int settings_late(struct vm *vm)
{
	unsigned int i;
	int err = 0;

	for (i = 0; !err && i < SETTINGS; i++)
		if (vm->config.settings & 1u << i && vm_settings[i].late)
			err = vm_settings[i].late(vm);
	return err;
}

uint32_t settings_features(const struct vm_config *config)
{
	uint32_t features = 0;
	unsigned int i;

	for (i = 0; i < SETTINGS; i++)
		if (config->settings & 1u << i)
			features |= vm_settings[i].features;
	return features;
}
