/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * aarch64: the state of a VM's interrupt controller: the GICv3's registers through its
 * device attributes (Documentation/virt/kvm/devices/arm-vgic-v3.rst), and its ITS
 * (arm-vgic-its.rst, "ITS Restore Sequence"). The clock is a register of the vCPUs
 * (KVM_REG_ARM_TIMER_CNT).
 */
#include "host/vmm/aarch64/gic.h"
#include "host/vmm/arch.h"
#include "host/vmm/kvm_ioctl.h"
#include "host/vmm/checkpoint.h"
#include "host/vmm/regs.h"

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
 * In restore order. A register has `per_intid` bits for each interrupt; 0: it has `words`
 * words of 32 bits. Bits that one register sets and another clears are cleared first: a
 * fresh GIC has its SGIs enabled.
 */
struct gic_reg {
	uint32_t group, offset, words, per_intid;
	uint32_t clear; /* offset of the register that clears; 0: none */
};

static const struct gic_reg regs[] = {
	{ DISTRIBUTOR, 0x0000, 1, 0, 0 },      /* GICD_CTLR: before all others */
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
	{ REDISTRIBUTOR, 0x0000, 1, 0,
	  0 }, /* CTLR: enables LPIs, which locks the two above */
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

/* Aff3 to Aff0 of MPIDR_EL1, packed into bits 63:32 of an attribute. */
static int affinity(struct vcpu *vcpu, uint64_t *bits)
{
	struct regs_value mpidr;
	int err = regs_get(vcpu, "mpidr_el1", &mpidr);

	*bits = ((mpidr.low >> 32 & 0xff) << 24 | (mpidr.low & 0xffffff)) << 32;
	return err;
}

static uint32_t words_of(const struct gic_reg *reg)
{
	return reg->per_intid ? (GIC_INTIDS - GIC_FIRST_SPI) * reg->per_intid / 32
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
		       (GIC_FIRST_SPI + 32 * n);
	if (reg->group == INTERFACE)
		return cpu | offset;
	if (reg->per_intid)
		offset += GIC_FIRST_SPI * reg->per_intid / 8;
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
	return error_set(&vm->error, err,
			 "cannot %s the GIC's register 0x%x of group %u: %s", what,
			 p->reg->offset + 4 * p->n, p->reg->group, strerror(-err));
}

static int save_word(struct vm *vm, FILE *out, const struct place *p)
{
	uint64_t value = 0;
	int err = kvm_device_attr_get(vm->irqchip_fd, p->reg->group,
				      attribute(p->reg, p->reg->offset, p->n, p->cpu),
				      &value);

	if (err)
		return fail(vm, err, "read", p);
	return record_write(out, record_id(p), &value, sizeof(value));
}

static int restore_word(struct vm *vm, const struct place *p, uint64_t value)
{
	const uint64_t ones = 0xffffffff;
	int err = 0;

	if (p->reg->clear)
		err = kvm_device_attr_set(vm->irqchip_fd, p->reg->group,
					  attribute(p->reg, p->reg->clear, p->n, p->cpu),
					  &ones);
	if (!err)
		err = kvm_device_attr_set(vm->irqchip_fd, p->reg->group,
					  attribute(p->reg, p->reg->offset, p->n, p->cpu),
					  &value);
	return err ? fail(vm, err, "write", p) : 0;
}

/* Calls `f` for every word of the GIC, in the order of the table. */
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
	return error_set(&vm->error, -EINVAL, "the checkpoint does not fit this VM: %s",
			 why);
}

static int restore_step(struct walk *w, const struct place *p)
{
	struct record record;
	const uint8_t *data = record_next(&w->state, &w->bytes, &record);
	uint64_t value;

	if (!data || record.id != record_id(p) || record.bytes != sizeof(value))
		return refuse(w->vm, "another interrupt controller");
	memcpy(&value, data, sizeof(value));
	return w->put ? restore_word(w->vm, p, value) : 0;
}

/* A GICv2 has other registers. */
static int need_gicv3(struct vm *vm)
{
	if (!kvm_device_attr_has(vm->irqchip_fd, REDISTRIBUTOR, 0))
		return 0;
	return error_set(&vm->error, -ENOTSUP,
			 "checkpoints need a GICv3; this is a GICv2");
}

#define CONTROL KVM_DEV_ARM_VGIC_GRP_CTRL

/* The GIC's records have no bit above 47. */
#define RECORD_ITS (1ull << 48)

#define GITS_CTLR 0x0000u

/*
 * GITS_IIDR (the revision of the tables), CBASER, CREADR, CWRITER, the BASERs. CTLR,
 * which enables the ITS, comes after the tables.
 */
static const uint32_t its_regs[] = {
	0x0004, 0x0080, 0x0090, 0x0088, 0x0100, 0x0108,	   0x0110,
	0x0118, 0x0120, 0x0128, 0x0130, 0x0138, GITS_CTLR,
};

#define ITS_REGS (sizeof(its_regs) / sizeof(its_regs[0]))

int arch_machine_flush(struct vm *vm)
{
	int err;

	if (vm->its_fd < 0)
		return 0;
	err = kvm_device_attr_set(vm->its_fd, CONTROL, KVM_DEV_ARM_ITS_SAVE_TABLES, NULL);
	if (!err)
		err = kvm_device_attr_set(vm->irqchip_fd, CONTROL,
					  KVM_DEV_ARM_VGIC_SAVE_PENDING_TABLES, NULL);
	if (err)
		return error_set(&vm->error, err, "cannot save the ITS's tables: %s",
				 strerror(-err));
	return 0;
}

static int its_fail(struct vm *vm, int err, const char *what, uint32_t reg)
{
	return error_set(&vm->error, err, "cannot %s the ITS's register 0x%x: %s", what,
			 reg, strerror(-err));
}

static int its_save(struct vm *vm, FILE *out)
{
	uint64_t value;
	size_t i;
	int err = 0;

	for (i = 0; !err && vm->its_fd >= 0 && i < ITS_REGS; i++) {
		value = 0;
		err = kvm_device_attr_get(vm->its_fd, KVM_DEV_ARM_VGIC_GRP_ITS_REGS,
					  its_regs[i], &value);
		if (err)
			return its_fail(vm, err, "read", its_regs[i]);
		err = record_write(out, RECORD_ITS | its_regs[i], &value, sizeof(value));
	}
	return err;
}

static int put_reg(struct vm *vm, uint32_t reg, uint64_t value)
{
	int err = 0;

	if (reg == GITS_CTLR)
		err = kvm_device_attr_set(vm->its_fd, CONTROL,
					  KVM_DEV_ARM_ITS_RESTORE_TABLES, NULL);
	if (err)
		return error_set(&vm->error, err, "cannot restore the ITS's tables: %s",
				 strerror(-err));
	err = kvm_device_attr_set(vm->its_fd, KVM_DEV_ARM_VGIC_GRP_ITS_REGS, reg, &value);
	return err ? its_fail(vm, err, "write", reg) : 0;
}

static int its_restore(struct vm *vm, const uint8_t **state, size_t *bytes, bool put)
{
	struct record record;
	const uint8_t *data;
	uint64_t value;
	size_t i;
	int err = 0;

	for (i = 0; !err && vm->its_fd >= 0 && i < ITS_REGS; i++) {
		data = record_next(state, bytes, &record);
		if (!data || record.id != (RECORD_ITS | its_regs[i]) ||
		    record.bytes != sizeof(value))
			return error_set(
				&vm->error, -EINVAL,
				"the checkpoint does not fit this VM: it has no ITS");
		memcpy(&value, data, sizeof(value));
		if (put)
			err = put_reg(vm, its_regs[i], value);
	}
	return err;
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
