/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * aarch64: the state of a VM beside its vCPUs' registers: the GICv3, register by
 * register through its device attributes (arm-vgic-v3.rst), and its ITS. The clock is a
 * register of the vCPUs (KVM_REG_ARM_TIMER_CNT).
 */
#include <errno.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>

#include "host/vmm/aarch64/device.h"
#include "host/vmm/aarch64/gic.h"
#include "host/vmm/aarch64/its.h"
#include "host/vmm/arch.h"
#include "host/vmm/regs_arch.h"

enum {
	DISTRIBUTOR = KVM_DEV_ARM_VGIC_GRP_DIST_REGS,
	REDISTRIBUTOR = KVM_DEV_ARM_VGIC_GRP_REDIST_REGS,
	INTERFACE = KVM_DEV_ARM_VGIC_GRP_CPU_SYSREGS,
	LEVELS = KVM_DEV_ARM_VGIC_GRP_LEVEL_INFO,
};

/* Frame SGI_base of a redistributor (Arm IHI 0069, 12.11). */
#define SGI 0x10000u

#define ICC(op1, crn, crm, op2) (3u << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2))

/*
 * In the order of being restored. `per_intid` bits belong to each interrupt; 0: it is
 * `words` words of 32 bits. What is set by one register and cleared by another is
 * cleared first: a fresh GIC has its SGIs enabled.
 */
struct gic_reg {
	uint32_t group, offset, words, per_intid;
	uint32_t clear; /* offset of the register that clears; 0: none */
};

static const struct gic_reg regs[] = {
	{ DISTRIBUTOR, 0x0000, 1, 0, 0 },      /* GICD_CTLR: decides about the rest */
	{ DISTRIBUTOR, 0x0080, 0, 1, 0 },      /* IGROUPR */
	{ DISTRIBUTOR, 0x0c00, 0, 2, 0 },      /* ICFGR */
	{ DISTRIBUTOR, 0x0400, 0, 8, 0 },      /* IPRIORITYR */
	{ DISTRIBUTOR, 0x6000, 0, 64, 0 },     /* IROUTER */
	{ DISTRIBUTOR, 0x0100, 0, 1, 0x0180 }, /* ISENABLER */
	{ LEVELS, 0, 0, 1, 0 },
	{ DISTRIBUTOR, 0x0200, 0, 1, 0 },      /* ISPENDR */
	{ DISTRIBUTOR, 0x0300, 0, 1, 0x0380 }, /* ISACTIVER */
	{ REDISTRIBUTOR, 0x0014, 1, 0, 0 },    /* GICR_WAKER */
	{ REDISTRIBUTOR, 0x0070, 2, 0, 0 },    /* PROPBASER */
	{ REDISTRIBUTOR, 0x0078, 2, 0, 0 },    /* PENDBASER */
	{ REDISTRIBUTOR, 0x0000, 1, 0, 0 },    /* CTLR: once LPIs are on, those stand */
	{ REDISTRIBUTOR, SGI | 0x0080, 1, 0, 0 },
	{ REDISTRIBUTOR, SGI | 0x0c00, 2, 0, 0 },
	{ REDISTRIBUTOR, SGI | 0x0400, 8, 0, 0 },
	{ REDISTRIBUTOR, SGI | 0x0100, 1, 0, SGI | 0x0180 },
	{ REDISTRIBUTOR, SGI | 0x0200, 1, 0, 0 },
	{ REDISTRIBUTOR, SGI | 0x0300, 1, 0, SGI | 0x0380 },
	{ INTERFACE, ICC(0, 12, 12, 5), 1, 0, 0 }, /* ICC_SRE_EL1 */
	{ INTERFACE, ICC(0, 12, 12, 4), 1, 0, 0 }, /* CTLR */
	{ INTERFACE, ICC(0, 12, 12, 6), 1, 0, 0 }, /* IGRPEN0 */
	{ INTERFACE, ICC(0, 12, 12, 7), 1, 0, 0 }, /* IGRPEN1 */
	{ INTERFACE, ICC(0, 4, 6, 0), 1, 0, 0 },   /* PMR */
	{ INTERFACE, ICC(0, 12, 8, 3), 1, 0, 0 },  /* BPR0 */
	{ INTERFACE, ICC(0, 12, 12, 3), 1, 0, 0 }, /* BPR1 */
	{ INTERFACE, ICC(0, 12, 8, 4), 1, 0, 0 },  /* AP0R0 */
	{ INTERFACE, ICC(0, 12, 9, 0), 1, 0, 0 },  /* AP1R0 */
};

#define REGS (sizeof(regs) / sizeof(regs[0]))

#define FIRST_SPI 32u

/* Aff3 to Aff0 of MPIDR_EL1, packed, where the attributes want them. */
static int affinity(struct vcpu *vcpu, uint64_t *bits)
{
	struct regs_value mpidr;
	int err = regs_get(vcpu, "mpidr_el1", &mpidr);

	*bits = ((mpidr.low >> 32 & 0xff) << 24 | (mpidr.low & 0xffffff)) << 32;
	return err;
}

static uint32_t words_of(const struct gic_reg *reg)
{
	return reg->per_intid ? (GIC_INTIDS - FIRST_SPI) * reg->per_intid / 32
			      : reg->words;
}

/* The attribute of the nth word. */
static uint64_t attribute(const struct gic_reg *reg, uint32_t offset, uint32_t n,
			  uint64_t cpu)
{
	if (reg->group == LEVELS)
		return cpu |
		       (uint64_t)VGIC_LEVEL_INFO_LINE_LEVEL
			       << KVM_DEV_ARM_VGIC_LINE_LEVEL_INFO_SHIFT |
		       (FIRST_SPI + 32 * n);
	if (reg->group == INTERFACE)
		return cpu | offset;
	if (reg->per_intid)
		offset += FIRST_SPI * reg->per_intid / 8;
	return cpu | (offset + 4 * n);
}

struct place {
	const struct gic_reg *reg;
	uint32_t index, n; /* vCPU, word */
	uint64_t cpu;
};

static uint64_t record_id(const struct place *p)
{
	return (uint64_t)p->index << 32 | (uint64_t)(p->reg - regs) << 16 | p->n;
}

static int fail(struct vm *vm, int err, const char *what, const struct place *p)
{
	return vm_fail(vm, err, "cannot %s the GIC's register 0x%x of group %u: %s", what,
		       p->reg->offset + 4 * p->n, p->reg->group, strerror(-err));
}

static int save_word(struct vm *vm, FILE *out, const struct place *p)
{
	uint64_t value = 0;
	int err =
		device_get_attr(vm->irqchip_fd, p->reg->group,
				attribute(p->reg, p->reg->offset, p->n, p->cpu), &value);

	if (err)
		return fail(vm, err, "read", p);
	return regs_record_write(out, record_id(p), &value, sizeof(value));
}

static int restore_word(struct vm *vm, const struct place *p, uint64_t value)
{
	const uint64_t ones = 0xffffffff;
	int err = 0;

	if (p->reg->clear)
		err = device_set_attr(vm->irqchip_fd, p->reg->group,
				      attribute(p->reg, p->reg->clear, p->n, p->cpu),
				      &ones);
	if (!err)
		err = device_set_attr(vm->irqchip_fd, p->reg->group,
				      attribute(p->reg, p->reg->offset, p->n, p->cpu),
				      &value);
	return err ? fail(vm, err, "write", p) : 0;
}

/* Calls `f` for every word of the GIC that there is, in the order of the table. */
struct walk {
	struct vm *vm;
	int (*f)(struct walk *w, const struct place *p);
	FILE *out;
	const uint8_t *state;
	size_t bytes;
	bool put;
};

static int walk(struct walk *w)
{
	struct place p = { .reg = regs };
	uint32_t cpus;
	int err = 0;

	for (; !err && p.reg < regs + REGS; p.reg++) {
		bool per_cpu = p.reg->group == REDISTRIBUTOR || p.reg->group == INTERFACE;

		cpus = per_cpu ? w->vm->config.vcpus : 1;
		for (p.index = 0; !err && p.index < cpus; p.index++) {
			err = affinity(&w->vm->vcpus[p.index], &p.cpu);
			if (!per_cpu)
				p.cpu = 0;
			for (p.n = 0; !err && p.n < words_of(p.reg); p.n++)
				err = w->f(w, &p);
		}
	}
	return err;
}

static int save_step(struct walk *w, const struct place *p)
{
	return save_word(w->vm, w->out, p);
}

static int refuse(struct vm *vm, const char *why)
{
	return vm_fail(vm, -EINVAL, "the checkpoint does not fit this VM: %s", why);
}

static int restore_step(struct walk *w, const struct place *p)
{
	struct regs_record record;
	const uint8_t *data = regs_record_next(&w->state, &w->bytes, &record);
	uint64_t value;

	if (!data || record.id != record_id(p) || record.bytes != sizeof(value))
		return refuse(w->vm, "another interrupt controller");
	memcpy(&value, data, sizeof(value));
	return w->put ? restore_word(w->vm, p, value) : 0;
}

/* A GICv2 has other registers, and no machine that runs KVM for a living. */
static int need_gicv3(struct vm *vm)
{
	if (!device_has_attr(vm->irqchip_fd, REDISTRIBUTOR, 0))
		return 0;
	return vm_fail(vm, -ENOTSUP, "checkpoints need a GICv3, and this is none");
}

int arch_machine_save(struct vm *vm, FILE *out)
{
	struct walk w = { .vm = vm, .f = save_step, .out = out };
	int err;

	if (vm->irqchip_fd < 0)
		return 0;
	err = need_gicv3(vm);
	if (!err)
		err = walk(&w);
	return err ? err : its_save(vm, out);
}

int arch_machine_flush(struct vm *vm)
{
	return its_flush(vm);
}

int arch_machine_restore(struct vm *vm, const uint8_t *state, size_t bytes, bool put)
{
	struct walk w = {
		.vm = vm, .f = restore_step, .state = state, .bytes = bytes, .put = put
	};
	int err = 0;

	if (vm->irqchip_fd >= 0)
		err = need_gicv3(vm);
	if (!err && vm->irqchip_fd >= 0)
		err = walk(&w);
	if (!err)
		err = its_restore(vm, &w.state, &w.bytes, put);
	return err || !w.bytes ? err : refuse(vm, "another interrupt controller");
}
