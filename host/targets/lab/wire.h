/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The wire of a lab, both ends: the memory or the port that carries its bytes (shared.c),
 * and the frames in which the machine sends its results (wire.c).
 */
#ifndef WS_TARGETS_LAB_WIRE_H
#define WS_TARGETS_LAB_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/targets/job.h"
#include "host/targets/target.h"

/* ------------------------------ the bytes ------------------------------ */

/*
 * The memory of the wire: a PCI device in the lab's machine (QEMU's ivshmem,
 * docs/specs/ivshmem-spec.txt), and a file outside.
 *
 * The device needs no driver, and only the machine writes to it while the machine runs. A
 * write does not wait for the reader. A write to a serial port would, so that the count
 * of instructions would depend on the speed of the reader.
 *
 *   0                 64 bits, little-endian: bytes that the machine has appended
 *   LAB_SHARED_JOB    the job, written by the host before a clone of the machine runs
 *   LAB_SHARED_DATA   what the machine appends
 *
 * An emulator without this device appends the bytes of a parallel port to an
 * empty file. The job appears in a page of the machine's memory (bochs/fork_server.c).
 */

#define LAB_SHARED_BYTES (64u << 20) /* a power of two: it becomes a PCI BAR */
#define LAB_SHARED_DATA	 4096u
#define LAB_SHARED_JOB	 1024u

enum lab_shared_kind {
	LAB_SHARED_MEMORY,
	LAB_SHARED_PORT,
	LAB_SHARED_RELAY, /* inside, in L1 on x86_64: l1.h */
};

struct lab_shared {
	enum lab_shared_kind kind;
	uint8_t *memory; /* NULL: none */
	size_t bytes;
	volatile uint8_t *pause; /* inside: a store there stops the machine; NULL: none */
	bool in_l1;		 /* inside, in L1: l1.h */
	volatile uint32_t *l0;	 /* aarch64, in L1: enum lab_l1_register */
	int fd;			 /* outside only; -1: none */
};

/* Outside: an unnamed file of zeros. 0 or a negative errno. */
int lab_shared_create(struct lab_shared *s, enum lab_shared_kind kind);

/*
 * Inside: the device or the port, as root, with /sys mounted. 0; -ENODEV (there is none);
 * or another negative errno, and `what` names what failed.
 */
int lab_shared_attach(struct lab_shared *s, const char **what);

/*
 * Inside: stops the machine at this instruction. A clone continues from here, with a job
 * and an empty wire. False: the clock has moved, and another machine must be booted.
 *
 * QEMU 7.2 (softmmu/icount.c) moves the clock of an idle machine to its next timer. A CPU
 * that has stopped itself is idle when its thread notices. If the main thread has not
 * stopped the machine by then, the clock moves. qemu.c makes the main thread run first,
 * and the guest's clock shows whether it did.
 */
bool lab_shared_wait(struct lab_shared *s, uint8_t job[JOB_BYTES]);

/* Outside, while the machine is stopped: empties the wire and writes the job. */
void lab_shared_give(struct lab_shared *s, const uint8_t job[JOB_BYTES]);

void lab_shared_free(struct lab_shared *s);

/* Appends all bytes, or none: -ENOSPC. */
int lab_shared_append(struct lab_shared *s, const uint8_t *data, size_t bytes);

/*
 * Inside, behind the last frame: ends the machine, which would only execute the exit of
 * this process until the reader has seen the frame. Returns where that is not possible.
 */
void lab_shared_end(struct lab_shared *s);

/*
 * Outside: the number of bytes from lab_shared_data() on; -EBADMSG if the machine's count
 * is too large. The machine can still change the bytes: copy them before the check.
 */
int64_t lab_shared_written(const struct lab_shared *s);
const uint8_t *lab_shared_data(const struct lab_shared *s);

/*
 * A PC's parallel port, driven from user space: the wire of a machine without shared
 * memory. A byte is transferred when the port accepts it. The guest waits for no clock
 * and no handshake, so that its count of instructions does not depend on the reader.
 *
 * A machine writes this to the port when it is ready to be cloned. The process of the
 * emulator then forks (bochs/fork_server.c); each fork continues with a job in its page.
 */
#define LAB_PORT_READY	     "\xf7WS-READY-TO-BE-CLONED\xf7"
#define LAB_PORT_READY_BYTES (sizeof(LAB_PORT_READY) - 1)

/* A clone that writes this ends: lab_shared_end(). */
#define LAB_PORT_END	   "\xf7WS-END-OF-THE-CLONE\xf7"
#define LAB_PORT_END_BYTES (sizeof(LAB_PORT_END) - 1)

/* The content of the page of the job before the job is there. */
#define LAB_PORT_PAGE_BYTES 4096u
#define LAB_PORT_PAGE_MARK  "worldswitch: the job is to be put into this page"

/* 0 if there is one, -ENODEV, or another negative errno; as root. */
int lab_port_probe(void);

/* Writes all bytes and returns 0, or none and returns a negative errno. */
int lab_port_write(const uint8_t *data, size_t bytes);

/*
 * Writes LAB_PORT_READY (`relayed`: has L0 write it), and copies the first `bytes` of the
 * page when the machine continues; at most LAB_PORT_PAGE_BYTES.
 */
void lab_port_wait(bool relayed, uint8_t *job, size_t bytes);

/*
 * Of L1 (l1.h): its end of the wire, as lab_shared_attach(); on x86_64 lab_port_write()
 * by way of L0; and the exits of L1 that L0's KVM has counted, `shared` being the wire.
 */
int lab_relay_attach(struct lab_shared *s, const char **what);
int lab_relay_write(struct lab_shared *s, const uint8_t *data, size_t bytes);
uint32_t lab_relay_exits(const void *shared);

/* In L1: has L0 send LAB_FRAME_SYMBOLS_L0. Elsewhere: nothing. */
void lab_relay_symbols(struct lab_shared *s);

/* ------------------------------ frames ------------------------------ */

/*
 * The frames in which a lab's machine sends its results, and both ends of the wire.
 *
 * A frame is a header of 24 bytes and a payload, all numbers little-endian:
 *
 *   0  magic       LAB_FRAME_MAGIC
 *   4  type        enum lab_frame_type
 *   8  stored      bytes of the payload in the frame
 *   12 raw         bytes of the payload; if not `stored`, the frame has a zlib stream
 *   16 stored_crc  CRC-32 of the stored payload
 *   20 header_crc  CRC-32 of the 20 bytes above
 *
 * A conversation is HELLO, the answer to the job, END; or FAILURE, at any point, as its
 * last frame. A JOB_BOOTS is answered by a REPORT per boot, a JOB_DESCRIBE by a HEADER, a
 * self-test by a LINE per test. HEADER is a document in JSON: the description of a
 * machine is a part of the result document, and the document's codec is the only one for
 * it.
 */

#define LAB_WIRE_VERSION       3
/*
 * A lab's clock counts instructions, 10^9 a second, and an emulator executes about 5 x
 * 10^7 a second: a time limit in seconds of the user is this many times shorter by the
 * machine's clock.
 */
#define LAB_SLOWDOWN	       20u
#define LAB_FRAME_MAGIC	       0xf7315357u /* "WS1" and a byte no text has */
#define LAB_FRAME_HEADER_BYTES 24u
#define LAB_FRAME_STORED_MAX   (16u << 20)
#define LAB_FRAME_RAW_MAX      (64u << 20)  /* of any type: wire.c has those of each */
#define LAB_WIRE_RAW_MAX       (256u << 20) /* of a conversation, unless set */

enum lab_frame_type {
	LAB_FRAME_HELLO = 1, /* LAB_WIRE_VERSION */
	LAB_FRAME_HEADER,    /* JSON: a document without benchmarks */
	LAB_FRAME_REPORT,    /* a boot's report: boot_report_encode() */
	LAB_FRAME_LINE,	     /* text: a line of TAP */
	LAB_FRAME_SYMBOLS, /* text: the kernel's functions, as /proc/kallsyms has them */
	LAB_FRAME_AGAIN,   /* in place of an answer: lab_shared_wait() was false */
	LAB_FRAME_END,	   /* the job's exit code */
	LAB_FRAME_FAILURE, /* text: why there will be no END */
	LAB_FRAME_SYMBOLS_L0, /* as LAB_FRAME_SYMBOLS, which follows: of L0's kernel */
	LAB_FRAME_TYPES,
};

/*
 * Payloads of more bytes are deflated. Most reports have less: an emulated CPU takes
 * 200,000 instructions to deflate one, and QEMU translates 3,000 of them, which takes
 * longer than copying. At the port, a byte is three instructions of I/O.
 */
#define LAB_PLAIN_MAX_MEMORY (64u << 10)
#define LAB_PLAIN_MAX_PORT   8192u

/* Payloads that are not text: one little-endian 32-bit number. */
#define LAB_NUMBER_BYTES 4u

uint32_t lab_get_le32(const uint8_t *p);
void lab_put_le32(uint8_t *p, uint32_t value);

/*
 * One whole frame in memory the caller frees. 0, -EMSGSIZE (payload over
 * LAB_FRAME_RAW_MAX, or over LAB_FRAME_STORED_MAX as stored), -ENOMEM. `deflate`: if
 * that makes the payload shorter.
 */
int lab_frame_encode(enum lab_frame_type type, const void *payload, size_t bytes,
		     bool deflate, uint8_t **frame, size_t *frame_bytes);

/* The sending end. */
struct lab_wire {
	struct lab_shared *shared; /* not owned */
	bool ended;		   /* END or FAILURE is out: nothing more may follow */
};

/*
 * Sends one frame, unless END or FAILURE was sent. 0; -ENOSPC (the wire is full); or as
 * lab_frame_encode().
 */
int lab_wire_send(struct lab_wire *wire, enum lab_frame_type type, const void *payload,
		  size_t bytes);
int lab_wire_text(struct lab_wire *wire, enum lab_frame_type type, const char *text);
int lab_wire_number(struct lab_wire *wire, enum lab_frame_type type, uint32_t number);

/*
 * The receiving end: bytes in, frames out. The bytes are not trusted. A frame is returned
 * only if its length is within the limits of its type and both checksums are correct; all
 * other bytes are skipped, one by one, until a frame begins, and counted. After a good
 * header with a damaged payload, frames inside the payload are looked for only until the
 * checksums of such payloads have covered LAB_SHARED_BYTES: the cost of any wire is
 * proportional to its size.
 */
struct lab_reader {
	uint8_t *bytes; /* received, not yet consumed: [begin, end) */
	size_t begin, end, room;
	uint8_t *payload; /* of the frame handed out last */
	uint64_t frames;  /* handed out */
	uint64_t skipped; /* bytes that belong to no frame, after the first frame */
	uint64_t checked; /* bytes of damaged payloads whose checksum was made */
	uint64_t raw;	  /* bytes of payloads after inflation */
	uint64_t raw_max; /* limit of `raw`; 0: LAB_WIRE_RAW_MAX */
};

struct lab_frame {
	enum lab_frame_type type;
	/* Ends in a NUL that `size` does not count. Valid until the next call. */
	const uint8_t *payload;
	size_t size;
};

/* `r` is zeroed memory; lab_reader_free() in the end. */
int lab_reader_push(struct lab_reader *r, const void *bytes, size_t n); /* 0, -ENOMEM */

/*
 * The next frame: 1, or 0 where more bytes are needed, or -ENOMEM, or -EFBIG: the
 * payloads are larger than r->raw_max in total. `last` says that
 * no more will come: a frame that was cut off is then skipped like other damage,
 * and what follows its beginning is looked through for frames.
 */
int lab_reader_next(struct lab_reader *r, bool last, struct lab_frame *frame);

void lab_reader_free(struct lab_reader *r);

#endif
