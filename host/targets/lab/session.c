/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The conversation with a running machine. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "host/lib/process.h"
#include "host/lib/error.h"
#include "host/targets/lab/session.h"
#include "host/targets/lab/emulator.h"
#include "host/targets/lab/wire.h"
#include "host/targets/target.h"

/* The interval at which the wire and `interrupted` are checked: poll() cannot. */
#define LOOK_MS 20

/*
 * QEMU can be stuck in the timers of its machine, whose clock, and with it each limit in
 * the machine, then does not advance. So does 7.2 after a guest's write of a
 * CNTV_CVAL_EL0 near 2^64: CVAL + CNTVOFF overflows (gt_recalc_timer()). QEMU is asked
 * after this silence, and has this time for an answer, in which it would execute 100
 * million instructions.
 */
#define SILENCE_S 2
#define ANSWER_S  5

/* Of 4 KiB: a full pipe of the console. */
#define PIPE_READS 256

/* A moment, and how long the emulator's threads had waited for a processor by then. */
struct mark {
	time_t s;
	struct process_waits waits;
};

struct session {
	const char *label;
	const char *emulator;
	const struct lab_sink *sink; /* NULL: the machine boots, and has no job yet */
	const char *const *error_marks;
	bool (*where)(const struct lab_child *child, char *text, size_t room);
	struct error *err;
	int log; /* a copy of the console; -1: none */
	struct lab_child child;
	struct lab_shared wire;
	uint64_t taken; /* bytes of the wire */
	struct lab_reader reader;
	struct lab_tail console, messages;
	struct mark begin, last_frame,
		last_sign; /* of life: a frame, an answer, a question */
	bool asked;
	time_t silence_s, total_s, deadline_s;
	struct lab_frames frames;
};

static struct mark mark(const struct session *s)
{
	return (struct mark){ lab_now_s(), process_waits(s->child.process.pid) };
}

/* Whether more than `limit_s` have passed, without the waits on a busy host. */
static bool is_over(const struct session *s, const struct mark *since, time_t limit_s)
{
	return lab_is_over(s->child.process.pid, since->s, &since->waits, limit_s);
}

static int check_damage(const struct session *s)
{
	if (!s->reader.skipped)
		return 0;
	return error_set(s->err, -EBADMSG, "%s: %llu damaged bytes on the wire", s->label,
			 (unsigned long long)s->reader.skipped);
}

/* Appends the last lines of the console, oldest first, while they fit. */
static void add_console(struct session *s)
{
	char line[120], *text = s->err->text;

	for (int back = 2; back >= 0; back--) {
		size_t used = strlen(text);

		if (lab_tail_line(&s->console, back, line, sizeof(line)))
			snprintf(text + used, sizeof(s->err->text) - used,
				 "\n  console: %s", line);
	}
}

static int give_up(struct session *s, const char *what, time_t limit_s)
{
	char where[100] = "";
	const bool known = s->where && s->child.control >= 0 &&
			   s->where(&s->child, where, sizeof(where));

	error_set(s->err, -ETIMEDOUT, "%s: %s for %lld s%s%s", s->label, what,
		  (long long)limit_s, known ? "; CPU 0 is at " : "", known ? where : "");
	add_console(s);
	return -ETIMEDOUT;
}

/* In every loop over what the machine sends: 0, or why the loop must end. */
static int check_limits(struct session *s)
{
	if (interrupted)
		return error_set(s->err, -EINTR, "%s: interrupted", s->label);
	if (s->deadline_s && lab_now_s() >= s->deadline_s)
		return error_set(s->err, -ETIME, "%s: the time of the lab is over",
				 s->label);
	if (is_over(s, &s->last_frame, s->silence_s))
		return give_up(s,
			       s->sink ? "no output from the job"
				       : "the machine is not ready for a job",
			       s->silence_s);
	if (is_over(s, &s->begin, s->total_s))
		return give_up(s,
			       s->sink ? "the job has not ended"
				       : "the machine has not booted",
			       s->total_s);
	return 0;
}

/* Whether the emulator of a job is alive. 0 or a negative errno. */
static int check_life(struct session *s, const struct lab_emulator *emulator)
{
	const int control = s->child.control;

	if (!s->sink || !emulator->ask)
		return 0;
	if (s->asked && emulator->has_answered(control)) {
		s->asked = false;
		s->last_sign = mark(s);
	} else if (s->asked && is_over(s, &s->last_sign, ANSWER_S)) {
		return error_set(s->err, -ETIMEDOUT,
				 "%s: the machine is stuck: no answer of %s for %d s",
				 s->label, s->emulator, ANSWER_S);
	} else if (!s->asked && lab_now_s() - s->last_sign.s > SILENCE_S) {
		s->asked = !emulator->ask(control);
		s->last_sign = mark(s);
	}
	return 0;
}

/* Processes the new bytes of the wire. `last`: the machine writes no more. */
static int take_wire(struct session *s, bool last)
{
	int64_t written = lab_shared_written(&s->wire);
	struct lab_frame frame;
	bool any = false;
	int ret = 0;

	if (written < (int64_t)s->taken)
		return error_set(s->err, -EBADMSG, "%s: invalid byte count of the wire",
				 s->label);
	if (lab_reader_push(&s->reader, lab_shared_data(&s->wire) + s->taken,
			    written - s->taken))
		return error_set(s->err, -ENOMEM, "%s: out of memory", s->label);
	s->taken = written;
	while (!ret && !s->frames.end) {
		ret = lab_reader_next(&s->reader, last, &frame);
		if (!ret)
			break;
		if (ret == -EFBIG)
			return error_set(s->err, -EBADMSG,
					 "%s: more than %llu MiB of results", s->label,
					 (unsigned long long)s->reader.raw_max >> 20);
		if (ret < 0)
			return error_set(s->err, ret, "%s: out of memory", s->label);
		ret = lab_frames_take(&s->frames, &frame);
		s->last_frame.s = lab_now_s();
		any = true;
		if (!ret && !s->frames.end)
			ret = check_limits(s);
	}
	if (any) /* once: this reads files */
		s->last_frame = s->last_sign = mark(s);
	/* Only now: a later FAILURE says more. */
	return ret ? ret : check_damage(s);
}

/* Reads available bytes into `tail` and `log` (-1: none). 1 at the end of the stream, or
 * 0. */
static int drain(int fd, struct lab_tail *tail, int log)
{
	char buf[4096];
	ssize_t n = read(fd, buf, sizeof(buf));

	if (n < 0)
		return errno != EAGAIN && errno != EINTR;
	lab_tail_add(tail, buf, n);
	if (log >= 0 && n && write(log, buf, n) != n)
		message_warn("cannot write to $WORLDSWITCH_CONSOLE: %m");
	return !n;
}

/*
 * Appends the consoles of all machines to $WORLDSWITCH_CONSOLE, such as an oops of a
 * kernel under test. -1: not set, or after a message.
 */
static int open_console_log(void)
{
	const char *path = getenv("WORLDSWITCH_CONSOLE");
	int fd = path && *path
			 ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666)
			 : -1;

	if (fd < 0 && path && *path)
		message_warn("cannot write to %s: %m", path);
	return fd;
}

/* The emulator's error message without its prefix. Warnings do not end an emulator. */
static bool emulator_error(const struct session *s, char *line, size_t room)
{
	for (const char *const *mark = s->error_marks; mark && *mark; mark++) {
		size_t skip = strlen(*mark);

		if (!lab_tail_find(&s->messages, *mark, NULL, line, room) ||
		    !strncmp(line + skip, "warning: ", 9))
			continue;
		memmove(line, line + skip, strlen(line + skip) + 1);
		return true;
	}
	*line = '\0';
	return false;
}

/* A kernel on the console, where two may be. */
static const char *whose(const struct session *s, bool l1)
{
	return !s->frames.l1 ? "the lab's" : l1 ? "L1's" : "L0's";
}

/*
 * Whether the kernel has crashed. A job ends with it, even if its machine and the job go
 * on: its figures would be those of a kernel that has crashed. A boot goes on.
 */
static bool explain_crash(struct session *s, bool ended)
{
	char line[sizeof(s->err->text)];
	bool l1;

	if (!(s->sink || ended) ||
	    !lab_tail_crash(&s->console, ended, &l1, line, sizeof(line)))
		return false;
	error_set(s->err, -EIO, "%s: %s kernel crashed: %s", s->label, whose(s, l1),
		  line);
	return true;
}

/*
 * After the end of a job or an error, `cause`: what the kernel has printed before says
 * more. It is in the pipe.
 */
static int explain_error(struct session *s, int cause)
{
	int reads = PIPE_READS;

	if (cause == -EINTR || cause == -ETIME)
		return cause;
	while (reads-- && !interrupted && s->child.console >= 0 &&
	       poll(&(struct pollfd){ s->child.console, POLLIN, 0 }, 1, 0) > 0 &&
	       !drain(s->child.console, &s->console, s->log))
		;
	return explain_crash(s, true) ? -EIO : cause;
}

/* What a panic has as its cause in an earlier line: a WARN, or what happened at EL2. */
static bool find_cause(const struct lab_tail *console, const char *panic, char *line,
		       size_t room)
{
	static const struct {
		const char *panic, *cause;
	} causes[] = {
		{ "panic_on_warn", "WARNING: " },
		{ "HYP panic", "hyp BUG at" },
		{ "HYP panic", "hyp panic at" },
	};

	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++)
		if (strstr(panic, causes[i].panic) &&
		    lab_tail_find(console, causes[i].cause, NULL, line, room))
			return true;
	return false;
}

/* The reason why the emulator ended before END. */
static int explain_death(struct session *s)
{
	int status = lab_child_finish(&s->child);
	char line[200], cause[200];
	bool found = emulator_error(s, line, sizeof(line)), l1;

	if (WIFSIGNALED(status))
		error_set(s->err, -EIO, "%s: %s was killed by signal %d (%s)%s%s",
			  s->label, s->emulator, WTERMSIG(status),
			  strsignal(WTERMSIG(status)), found ? ": " : "", line);
	else if (explain_crash(s, true))
		return -EIO;
	else if (lab_tail_find(&s->console, "Kernel panic - not syncing: ", &l1, line,
			       sizeof(line))) {
		found = find_cause(&s->console, line, cause, sizeof(cause));
		return error_set(s->err, -EIO, "%s: %s kernel crashed: %s%s%s", s->label,
				 whose(s, l1), line, found ? " " : "",
				 found ? cause : "");
	} else if (status &&
		   (found || lab_tail_line(&s->messages, 0, line, sizeof(line))))
		error_set(s->err, -EIO, "%s: %s failed: %s", s->label, s->emulator, line);
	else
		error_set(s->err, -EIO, "%s: the machine powered off before %s", s->label,
			  s->sink ? "the job completed" : "it was ready for a job");
	add_console(s);
	return -EIO;
}

/*
 * A machine or a clone did not start. An emulator that does not answer runs; of another,
 * the messages are read to their end.
 */
static int explain_start(struct session *s, int cause)
{
	if (cause == -ETIMEDOUT)
		return give_up(s, "no answer of the emulator", s->child.answer_s);
	if (cause == -ETIME)
		return error_set(s->err, cause, "%s: the time of the lab is over",
				 s->label);
	while (s->child.messages >= 0 && !drain(s->child.messages, &s->messages, -1))
		if (check_limits(s) ||
		    !poll(&(struct pollfd){ s->child.messages, POLLIN, 0 }, 1, 1000))
			break;
	return explain_death(s);
}

/*
 * Of a job, the emulator reports that the machine has stopped behind the last frame,
 * which is on the wire then. An answer is for check_life().
 */
static void hear(const struct session *s, const struct lab_emulator *emulator,
		 struct pollfd *control)
{
	if (control->revents & (POLLHUP | POLLERR | POLLNVAL))
		control->fd = -1;
	else if (!s->asked)
		(void)emulator->has_answered(s->child.control);
}

/*
 * Runs until the machine is ready for a job, or until its job is done. A booting machine
 * is ready when the emulator reports on its control socket that the machine has stopped.
 */
static int converse(struct session *s, const struct lab_emulator *emulator)
{
	struct pollfd fds[] = {
		{ .fd = s->child.console, .events = POLLIN },
		{ .fd = s->child.messages, .events = POLLIN },
		{ .fd = !s->sink || emulator->ask ? s->child.control : -1,
		  .events = POLLIN },
	};
	int ret = 0, ready = 0;

	s->begin = s->last_frame = s->last_sign = mark(s);
	while (!ret && !s->frames.end && !ready) {
		bool dead = fds[0].fd < 0 && fds[1].fd < 0;

		ret = check_limits(s);
		if (ret)
			return explain_error(s, ret);
		if (!dead && poll(fds, 3, LOOK_MS) > 0) {
			/* poll() ignores descriptors that are -1. */
			if (fds[0].revents && drain(fds[0].fd, &s->console, s->log))
				fds[0].fd = -1;
			if (fds[0].revents && explain_crash(s, false))
				return -EIO;
			if (fds[1].revents && drain(fds[1].fd, &s->messages, -1))
				fds[1].fd = -1;
			if (fds[2].revents && s->sink)
				hear(s, emulator, &fds[2]);
			else if (fds[2].revents)
				ready = emulator->is_ready(&s->child);
			if (ready < 0) {
				fds[2].fd = -1;
				if (ready == -ETIMEDOUT || ready == -ETIME)
					return explain_start(s, ready);
				if (ready != -EPIPE)
					return error_set(
						s->err, ready, "%s: %s does not stop: %s",
						s->label, s->emulator, strerror(-ready));
				ready = 0;
			}
		}
		ret = take_wire(s, dead);
		if (!ret && !s->frames.end && !dead)
			ret = check_life(s, emulator);
		if (dead && !ret && !s->frames.end)
			ret = explain_death(s);
		else if (ret || s->frames.end)
			ret = explain_error(s, ret);
	}
	return ret;
}

static struct session *session_new(const struct lab_base *base,
				   const struct lab_boot *boot,
				   const struct lab_sink *sink, enum lab_shared_kind wire,
				   struct error *err)
{
	const char *slash = strrchr(boot->program, '/');
	struct session *s = calloc(1, sizeof(*s));
	int ret = s ? lab_shared_create(&s->wire, wire) : -ENOMEM;

	if (ret) {
		error_set(err, ret, "%s: cannot make the wire: %s", base->label,
			  strerror(-ret));
		free(s);
		return NULL;
	}
	s->label = base->label;
	s->emulator = slash ? slash + 1 : boot->program;
	s->error_marks = base->machine->emulator->error_marks;
	s->where = base->machine->emulator->where;
	s->sink = sink;
	s->err = err;
	s->frames = (struct lab_frames){
		.label = s->label, .sink = sink, .l1 = base->machine->l1, .err = err
	};
	s->log = open_console_log();
	s->silence_s = boot->silence_s ? boot->silence_s : LAB_SILENCE_S;
	s->total_s = boot->total_s ? boot->total_s : LAB_TOTAL_S;
	s->deadline_s = boot->deadline_s;
	s->reader.raw_max = sink && sink->raw_max ? sink->raw_max : LAB_WIRE_RAW_MAX;
	lab_child_init(&s->child);
	s->begin = s->last_frame = s->last_sign = mark(s);
	return s;
}

static void session_free(struct session *s)
{
	if (!s)
		return;
	lab_child_stop(&s->child);
	lab_shared_free(&s->wire);
	lab_reader_free(&s->reader);
	free(s->frames.symbols_l0);
	if (s->log >= 0)
		close(s->log);
	free(s);
}

/* The CPU time of the emulator so far. */
static uint64_t child_ns(const struct lab_child *c)
{
	return c->process.pid > 0 ? timing_process_ns(c->process.pid) : c->process.cpu_ns;
}

void lab_base_resume(struct lab_base *base, const char *label,
		     const struct lab_machine *m, int snapshot)
{
	*base = (struct lab_base){
		.label = label, .machine = m, .snapshot = snapshot, .warm = -1
	};
	lab_child_init(&base->child);
	pthread_mutex_init(&base->lock, NULL);
}

int lab_base_boot(struct lab_base *base, const char *label, const struct lab_machine *m,
		  const struct lab_boot *boot, struct error *err)
{
	const struct lab_emulator *emulator = m->emulator;
	struct lab_boot own = *boot;
	struct timing_mark mark = timing_mark();
	struct session *s = NULL;
	struct lab_command cmd;
	uint64_t ns = 0;
	int ret;

	if (emulator->can_save && !boot->clone)
		own.snapshot = memfd_create("worldswitch-snapshot",
					    MFD_CLOEXEC | MFD_ALLOW_SEALING);
	lab_base_resume(base, label, m, own.snapshot);
	if (emulator->can_save && own.snapshot < 0)
		return error_set(err, -errno, "%s: cannot make its memory: %m", label);
	ret = emulator->command(m, &own, &cmd, err);
	if (!ret) {
		s = session_new(base, boot, NULL, emulator->wire, err);
		ret = s ? lab_child_start(&s->child, &cmd, s->wire.fd,
					  emulator->control_type, err)
			: -ENOMEM;
	}
	lab_command_free(&cmd);
	if (!ret) {
		ret = emulator->begin(&s->child);
		if (ret)
			ret = explain_start(s, ret);
	}
	if (!ret) {
		ns = child_ns(&s->child);
		timing_add(boot->timing, TIMING_START, &mark, ns);
		mark = timing_mark();
		ret = converse(s, emulator);
	}
	if (!ret) {
		timing_add(boot->timing, TIMING_BOOT, &mark, child_ns(&s->child) - ns);
		ns = child_ns(&s->child);
		mark = timing_mark();
		base->child = s->child;
		lab_child_init(&s->child);
	}
	if (!ret && !boot->clone) {
		ret = emulator->freeze(base);
		if (ret)
			error_set(err, ret,
				  "%s: cannot take a snapshot of the machine: %s", label,
				  strerror(-ret));
		timing_add(boot->timing, TIMING_SNAPSHOT, &mark,
			   child_ns(&base->child) - ns);
	}
	session_free(s);
	return ret;
}

void lab_base_free(struct lab_base *base)
{
	if (!base->machine)
		return;
	lab_child_stop(&base->child);
	if (base->snapshot >= 0)
		close(base->snapshot);
	if (base->warm >= 0)
		close(base->warm);
	pthread_mutex_destroy(&base->lock);
	base->machine = NULL;
}

int lab_base_run(struct lab_base *base, const struct lab_boot *boot,
		 const uint8_t job[JOB_BYTES], const struct lab_sink *sink,
		 struct error *err)
{
	const struct lab_emulator *emulator = base->machine->emulator;
	struct timing_mark mark = timing_mark(), job_mark, end;
	struct session *s = session_new(base, boot, sink, emulator->wire, err);
	const bool has_server = base->child.process.pid;
	uint64_t ns, server_ns;
	int ret;

	if (!s)
		return -ENOMEM;
	err->text[0] = '\0';
	ret = emulator->clone(base, boot, &s->wire, job, &s->child, err);
	ns = child_ns(&s->child);
	/* The first clone has started the server. Without one, the base is an ended boot.
	 */
	server_ns = !has_server && base->child.process.pid ? child_ns(&base->child) : 0;
	job_mark = timing_mark();
	if (!ret)
		ret = converse(s, emulator);
	else if (interrupted) /* the emulator itself did not fail */
		ret = error_set(err, -EINTR, "%s: interrupted", s->label);
	else if (!*err->text) /* the emulator has said why, or is gone */
		ret = explain_start(s, ret);
	timing_add(boot->timing, sink->report ? TIMING_ROWS : TIMING_DESCRIBE, &job_mark,
		   child_ns(&s->child) - ns);
	/* The start and the end of the clone are one part. */
	end = timing_mark();
	mark.wall_ns += end.wall_ns - job_mark.wall_ns;
	mark.cpu_ns += end.cpu_ns - job_mark.cpu_ns;
	session_free(s);
	timing_add(boot->timing, TIMING_CLONE, &mark, ns + server_ns);
	return ret;
}
