/*
 * smppload: neutral load for the bench, both ends of a message's way; one epoll thread a process, Linux only.
 *
 *   smppload sink  -p PORT -c CONTROL [-d RECEIPT_DELAY_MS] [-n]   a carrier: answers each submit_sm, sends receipts
 *   smppload gen   -p PORT -b BINDS -W WINDOW -m MESSAGES [...]    a client: submits as its windows allow, counts
 *   smppload hsink -p PORT -c CONTROL                              a web server that says 200 (for Kannel's dlr-url)
 *   smppload hgen  -p PORT -b CONNECTIONS -m MESSAGES -U PATH      a web client; {TO} {TEXT} {N} stand in PATH
 *
 * A control port takes "s" (statistics as JSON) and "r" (the same, then forget). Source: SMPP v3.4, 4.1 to 4.11, 5.3.
 * What must not enter: faults and odd behaviour (the package simulators has them), anything Passerelle knows.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define MOST_CONNECTIONS 4096
#define MOST_PDU 70000          /* octets; a message_payload of 64 KiB and its fields */
#define RECEIVE_AT_ONCE 262144
#define UNSENT_LIMIT (4u << 20) /* octets towards a peer that does not read: receipts wait meanwhile */
#define RECEIPTS_IN_FLIGHT 1000 /* unanswered deliver_sm on one bind of the sink */
#define TEXT_LENGTH 160         /* GSM characters: one full part */

enum command {
    GENERIC_NACK = 0x80000000, BIND_RECEIVER = 1, BIND_TRANSMITTER = 2, SUBMIT_SM = 4, DELIVER_SM = 5, UNBIND = 6,
    BIND_TRANSCEIVER = 9, ENQUIRE_LINK = 0x15, RESPONSE = 0x80000000
};
enum mode { SINK, GEN, HTTP_SINK, HTTP_GEN };
enum token { LISTENER = 0x80000000u, CONTROL, TIMER };

static struct {
    enum mode mode;
    int port, control_port, receipt_delay_ms, binds, window, idle_s;
    bool no_receipts, await_receipts;
    uint32_t messages, first; /* how many; the number of the first, in texts and destinations */
    double rate;
    const char *system_id, *password, *source, *prefix, *path;
} options = { .port = 2775, .binds = 4, .window = 50, .idle_s = 15, .messages = 10000,
              .system_id = "bench", .password = "secret", .source = "1000", .prefix = "4477", .path = "/" };

static volatile sig_atomic_t stopping;

static void stop(int number) { (void)number; stopping = 1; }

static void fail(const char *what) { perror(what); exit(2); }

static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void *grown(void *memory, size_t size) {
    void *larger = realloc(memory, size);
    if (larger == NULL) fail("memory");
    return larger;
}

/* ------------------------------------------------------------------ octets */

struct buffer { uint8_t *octets; size_t begin, end, capacity; };

static void make_room(struct buffer *b, size_t size) {
    if (b->begin == b->end) b->begin = b->end = 0;
    if (b->end + size <= b->capacity) return;
    if (b->begin) {
        memmove(b->octets, b->octets + b->begin, b->end - b->begin);
        b->end -= b->begin;
        b->begin = 0;
    }
    if (b->end + size > b->capacity) {
        size_t capacity = b->capacity ? b->capacity : 65536;
        while (capacity < b->end + size) capacity *= 2;
        b->octets = grown(b->octets, capacity);
        b->capacity = capacity;
    }
}

static void append(struct buffer *b, const void *octets, size_t size) {
    make_room(b, size);
    memcpy(b->octets + b->end, octets, size);
    b->end += size;
}

static uint32_t read_u32(const uint8_t *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void write_u32(uint8_t *p, uint32_t value) {
    p[0] = value >> 24; p[1] = value >> 16; p[2] = value >> 8; p[3] = value;
}

/* A PDU being written: header first, lengths at the end. */
struct pdu { uint8_t octets[1024]; size_t length; };

static void put_octets(struct pdu *pdu, const void *octets, size_t size) {
    memcpy(pdu->octets + pdu->length, octets, size);
    pdu->length += size;
}
static void put_u8(struct pdu *pdu, uint8_t value) { pdu->octets[pdu->length++] = value; }
static void put_zeros(struct pdu *pdu, int count) { while (count--) put_u8(pdu, 0); }
static void put_c_string(struct pdu *pdu, const char *text) { put_octets(pdu, text, strlen(text) + 1); }
static void put_address(struct pdu *pdu, const char *digits) { /* TON international, NPI E.164 */
    put_u8(pdu, 1);
    put_u8(pdu, 1);
    put_c_string(pdu, digits);
}
static void put_tlv(struct pdu *pdu, uint16_t tag, const void *value, uint16_t size) {
    uint8_t head[4] = { tag >> 8, tag & 255, size >> 8, size & 255 };
    put_octets(pdu, head, 4);
    put_octets(pdu, value, size);
}

/* A PDU being read: every getter stays inside, and answers emptiness past the end. */
struct cursor { const uint8_t *at, *end; };

static uint8_t get_u8(struct cursor *c) { return c->at < c->end ? *c->at++ : 0; }
static void skip(struct cursor *c, size_t size) { c->at = size < (size_t)(c->end - c->at) ? c->at + size : c->end; }
static const char *get_c_string(struct cursor *c) {
    const uint8_t *text = c->at;
    const uint8_t *zero = memchr(c->at, 0, (size_t)(c->end - c->at));
    if (zero == NULL) { c->at = c->end; return ""; }
    c->at = zero + 1;
    return (const char *)text;
}

/* ------------------------------------------------------------------ connections */

struct connection {
    int fd;
    struct buffer in, out;
    bool open, bound, waits_to_write;
    uint32_t sequence;
    uint32_t generation;  /* tells a reused slot from its former owner */
    int unanswered;       /* requests of ours */
    uint32_t http_number; /* the message of the request under way */
};

static struct connection connections[MOST_CONNECTIONS];
static int connection_count, epoll_fd, timer_fd;
static uint32_t generations;

static void watch(int operation, int fd, uint32_t events, uint32_t token) {
    struct epoll_event event = { .events = events, .data.u32 = token };
    epoll_ctl(epoll_fd, operation, fd, &event);
}

static struct connection *add_connection(int fd) {
    int slot = 0;
    while (slot < connection_count && connections[slot].open) slot++;
    if (slot == MOST_CONNECTIONS) { errno = EMFILE; fail("connections"); }
    if (slot == connection_count) connection_count++;
    struct connection *c = &connections[slot];
    struct buffer in = c->in, out = c->out;
    in.begin = in.end = out.begin = out.end = 0;
    *c = (struct connection){ .fd = fd, .in = in, .out = out, .open = true, .sequence = 1,
                              .generation = ++generations };
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
    watch(EPOLL_CTL_ADD, fd, EPOLLIN, (uint32_t)slot);
    return c;
}

static void close_connection(struct connection *c) {
    if (!c->open) return;
    watch(EPOLL_CTL_DEL, c->fd, 0, 0);
    close(c->fd);
    c->open = c->bound = false;
}

static void want_to_write(struct connection *c, bool wanted) {
    if (c->waits_to_write == wanted) return;
    c->waits_to_write = wanted;
    watch(EPOLL_CTL_MOD, c->fd, EPOLLIN | (wanted ? EPOLLOUT : 0), (uint32_t)(c - connections));
}

static void flush(struct connection *c) {
    if (!c->open) return;
    while (c->out.begin < c->out.end) {
        ssize_t sent = send(c->fd, c->out.octets + c->out.begin, c->out.end - c->out.begin, MSG_NOSIGNAL);
        if (sent > 0) { c->out.begin += (size_t)sent; continue; }
        if (errno == EAGAIN || errno == EWOULDBLOCK) want_to_write(c, true);
        else close_connection(c);
        return;
    }
    c->out.begin = c->out.end = 0;
    want_to_write(c, false);
}

static struct sockaddr_in here(int port) {
    return (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static int listen_on(int port, enum token token) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = here(port);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
    if (bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, 1024)) fail("listen");
    watch(EPOLL_CTL_ADD, fd, EPOLLIN, token);
    return fd;
}

static int dial(int port) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = here(port);
    if (connect(fd, (struct sockaddr *)&address, sizeof address)) fail("connect");
    return fd;
}

static void send_pdu(struct connection *c, struct pdu *pdu, uint32_t command, uint32_t status, uint32_t sequence) {
    write_u32(pdu->octets, (uint32_t)pdu->length);
    write_u32(pdu->octets + 4, command);
    write_u32(pdu->octets + 8, status);
    write_u32(pdu->octets + 12, sequence);
    append(&c->out, pdu->octets, pdu->length);
}

static void send_header(struct connection *c, uint32_t command, uint32_t status, uint32_t sequence) {
    struct pdu pdu = { .length = 16 };
    send_pdu(c, &pdu, command, status, sequence);
}

/* ------------------------------------------------------------------ latencies, and the end of every JSON line */

struct latencies { uint32_t *us; size_t count, capacity; };

static void note_latency(struct latencies *l, uint64_t ns) {
    if (l->count == l->capacity) {
        l->capacity = l->capacity ? l->capacity * 2 : 1 << 16;
        l->us = grown(l->us, l->capacity * sizeof *l->us);
    }
    uint64_t us = ns / 1000;
    l->us[l->count++] = us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
}

static int by_size(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void print_latencies(FILE *file, const char *name, struct latencies *l) {
    if (!l->count) { fprintf(file, ",\"%s\":null", name); return; }
    qsort(l->us, l->count, sizeof *l->us, by_size);
    double sum = 0;
    for (size_t i = 0; i < l->count; i++) sum += l->us[i];
    fprintf(file, ",\"%s\":{\"count\":%zu,\"mean\":%.1f", name, l->count, sum / (double)l->count);
    fprintf(file, ",\"p50\":%u,\"p99\":%u", l->us[l->count / 2], l->us[(size_t)((double)l->count * 0.99)]);
    fprintf(file, ",\"p999\":%u,\"max\":%u}", l->us[(size_t)((double)l->count * 0.999)], l->us[l->count - 1]);
}

static void print_cpu(FILE *file) {
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    double s = (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
    fprintf(file, ",\"cpu_s\":%.3f}\n", s);
}

static double seconds(uint64_t from_ns, uint64_t to_ns) { return to_ns > from_ns ? (double)(to_ns - from_ns) / 1e9 : 0; }

/* ------------------------------------------------------------------ texts: each names its number and its moment */

static size_t write_text(char *text, uint32_t number, uint64_t ns) {
    static const char filler[] = "abcdefghij klmnopqrst";
    size_t length = (size_t)sprintf(text, "Hello N=%010u T=%016" PRIx64 " ", number, ns);
    for (; length < TEXT_LENGTH; length++) text[length] = filler[length % (sizeof filler - 1)];
    text[length] = 0;
    return length;
}

static bool read_text(const uint8_t *text, size_t length, uint32_t *number, uint64_t *ns) {
    const char *tag = memmem(text, length, "N=", 2);
    char digits[17] = "";
    if (tag == NULL || tag + 31 > (const char *)text + length) return false;
    memcpy(digits, tag + 2, 10);
    *number = (uint32_t)strtoul(digits, NULL, 10);
    memcpy(digits, tag + 15, 16);
    *ns = strtoull(digits, NULL, 16);
    return true;
}

/* ------------------------------------------------------------------ the carrier */

struct receipt { uint64_t due_ns; uint32_t slot, generation, id; char source[22], destination[22]; };

static struct {
    uint64_t submits, twice, untagged, receipts, answered, refused, requests;
    uint64_t first_ns, last_ns, last_answer_ns;
    struct latencies forward;
    uint8_t *seen;
    uint32_t seen_capacity, next_id;
    struct receipt *queue;
    size_t head, tail, capacity;
} sink;

static void print_sink(FILE *file) {
    fprintf(file, "{\"submits\":%" PRIu64 ",\"twice\":%" PRIu64 ",\"untagged\":%" PRIu64, sink.submits, sink.twice,
            sink.untagged);
    fprintf(file, ",\"receipts\":%" PRIu64 ",\"answered\":%" PRIu64 ",\"refused\":%" PRIu64, sink.receipts,
            sink.answered, sink.refused);
    fprintf(file, ",\"receipts_waiting\":%zu,\"requests\":%" PRIu64, sink.tail - sink.head, sink.requests);
    fprintf(file, ",\"first_ns\":%" PRIu64 ",\"last_ns\":%" PRIu64, sink.first_ns, sink.last_ns);
    fprintf(file, ",\"last_answer_ns\":%" PRIu64, sink.last_answer_ns);
    print_latencies(file, "forward_us", &sink.forward);
    print_cpu(file);
}

static void forget_sink(void) {
    sink.submits = sink.twice = sink.untagged = sink.receipts = sink.answered = sink.refused = sink.requests = 0;
    sink.first_ns = sink.last_ns = sink.last_answer_ns = 0;
    sink.forward.count = 0;
    sink.head = sink.tail = 0;
    if (sink.seen) memset(sink.seen, 0, sink.seen_capacity);
}

static void note_text(const uint8_t *text, size_t length, uint64_t now) {
    uint32_t number;
    uint64_t written_ns;
    if (!read_text(text, length, &number, &written_ns)) { sink.untagged++; return; }
    if (number >= sink.seen_capacity) {
        uint32_t capacity = sink.seen_capacity ? sink.seen_capacity : 1 << 20;
        while (capacity <= number) capacity *= 2;
        sink.seen = grown(sink.seen, capacity);
        memset(sink.seen + sink.seen_capacity, 0, capacity - sink.seen_capacity);
        sink.seen_capacity = capacity;
    }
    sink.twice += sink.seen[number];
    sink.seen[number] = 1;
    if (now > written_ns) note_latency(&sink.forward, now - written_ns);
}

static void queue_receipt(const struct receipt *receipt) {
    if (sink.tail - sink.head == sink.capacity) {
        size_t capacity = sink.capacity ? sink.capacity * 2 : 1 << 16;
        struct receipt *queue = grown(NULL, capacity * sizeof *queue);
        for (size_t i = sink.head; i < sink.tail; i++) queue[i - sink.head] = sink.queue[i % sink.capacity];
        free(sink.queue);
        sink.queue = queue;
        sink.tail -= sink.head;
        sink.head = 0;
        sink.capacity = capacity;
    }
    sink.queue[sink.tail++ % sink.capacity] = *receipt;
}

static void send_receipt(struct connection *c, const struct receipt *receipt) {
    struct pdu pdu = { .length = 16 };
    char text[160], id[12];
    int length = sprintf(text, "id:%010u sub:001 dlvrd:001 submit date:2401010000 done date:2401010001 stat:DELIVRD "
                               "err:000 text:Hello", receipt->id);
    put_u8(&pdu, 0);                          /* service_type */
    put_address(&pdu, receipt->destination);
    put_address(&pdu, receipt->source);
    put_u8(&pdu, 0x04);                       /* esm_class: receipt */
    put_zeros(&pdu, 8);
    put_u8(&pdu, (uint8_t)length);
    put_octets(&pdu, text, (size_t)length);
    put_tlv(&pdu, 0x001e, id, (uint16_t)(sprintf(id, "%010u", receipt->id) + 1)); /* receipted_message_id */
    put_tlv(&pdu, 0x0427, "\x02", 1);         /* message_state: delivered */
    send_pdu(c, &pdu, DELIVER_SM, 0, ++c->sequence);
    c->unanswered++;
    sink.receipts++;
}

/* The bind a receipt goes over: the one its message came by, else any that is bound. */
static struct connection *way_back(const struct receipt *receipt) {
    struct connection *c = &connections[receipt->slot];
    if (c->open && c->generation == receipt->generation) return c;
    for (int i = 0; i < connection_count; i++)
        if (connections[i].open && connections[i].bound) return &connections[i];
    return NULL;
}

static void send_due_receipts(uint64_t now) {
    static bool touched[MOST_CONNECTIONS];
    bool any = false;
    while (sink.head < sink.tail && sink.queue[sink.head % sink.capacity].due_ns <= now) {
        const struct receipt *receipt = &sink.queue[sink.head % sink.capacity];
        struct connection *c = way_back(receipt);
        if (c == NULL || c->unanswered >= RECEIPTS_IN_FLIGHT || c->out.end - c->out.begin > UNSENT_LIMIT) break;
        send_receipt(c, receipt);
        touched[c - connections] = any = true;
        sink.head++;
    }
    for (int i = 0; any && i < connection_count; i++) {
        if (touched[i]) flush(&connections[i]);
        touched[i] = false;
    }
}

static void take_submit(struct connection *c, struct cursor body, uint32_t sequence, uint64_t now) {
    struct receipt receipt = { .slot = (uint32_t)(c - connections), .generation = c->generation };
    struct pdu answer = { .length = 16 };
    char id[12];
    get_c_string(&body);                                     /* service_type */
    skip(&body, 2);
    snprintf(receipt.source, sizeof receipt.source, "%s", get_c_string(&body));
    skip(&body, 2);
    snprintf(receipt.destination, sizeof receipt.destination, "%s", get_c_string(&body));
    skip(&body, 3);
    get_c_string(&body);                                     /* schedule_delivery_time */
    get_c_string(&body);                                     /* validity_period */
    uint8_t registered_delivery = get_u8(&body);
    skip(&body, 3);
    uint8_t length = get_u8(&body);
    if (length <= body.end - body.at) note_text(body.at, length, now);
    if (!sink.first_ns) sink.first_ns = now;
    sink.last_ns = now;
    sink.submits++;
    receipt.id = ++sink.next_id;
    sprintf(id, "%010u", receipt.id);
    put_c_string(&answer, id);
    send_pdu(c, &answer, SUBMIT_SM | RESPONSE, 0, sequence);
    if (!options.no_receipts && (registered_delivery & 1)) {
        receipt.due_ns = now + (uint64_t)options.receipt_delay_ms * 1000000u;
        queue_receipt(&receipt);
    }
}

static void take_pdu_as_carrier(struct connection *c, const uint8_t *octets, uint32_t length, uint64_t now) {
    uint32_t command = read_u32(octets + 4), sequence = read_u32(octets + 12);
    struct pdu answer = { .length = 16 };
    switch (command) {
    case BIND_RECEIVER: case BIND_TRANSMITTER: case BIND_TRANSCEIVER:
        c->bound = true;
        put_c_string(&answer, "SINK");
        put_tlv(&answer, 0x0210, "\x34", 1); /* sc_interface_version */
        send_pdu(c, &answer, command | RESPONSE, 0, sequence);
        break;
    case SUBMIT_SM:
        take_submit(c, (struct cursor){ octets + 16, octets + length }, sequence, now);
        break;
    case DELIVER_SM | RESPONSE:
        c->unanswered--;
        sink.answered++;
        sink.refused += read_u32(octets + 8) != 0;
        sink.last_answer_ns = now;
        break;
    case ENQUIRE_LINK: case UNBIND:
        send_header(c, command | RESPONSE, 0, sequence);
        break;
    default:
        if (!(command & RESPONSE)) send_header(c, GENERIC_NACK, 3, sequence); /* ESME_RINVCMDID */
    }
}

/* ------------------------------------------------------------------ the client */

/* What is known of one message id of the server: an open-addressed table; index is the message's number + 1. */
struct known { uint64_t key, receipt_ns; uint32_t index, receipts; };

static struct {
    uint64_t *sent_ns;
    uint32_t next, responses, refused, last_refusal, receipts, inbound, reconnects;
    uint64_t begin_ns, last_response_ns, last_receipt_ns;
    struct latencies response, receipt;
    int bound;
    struct known *known;
    uint64_t mask;
} gen;

static struct known *find_known(const uint8_t *id, size_t length) {
    uint64_t key = 1469598103934665603u; /* FNV-1a */
    for (size_t i = 0; i < length; i++) key = (key ^ id[i]) * 1099511628211u;
    key |= key == 0;
    uint64_t place = key & gen.mask;
    while (gen.known[place].key && gen.known[place].key != key) place = (place + 1) & gen.mask;
    gen.known[place].key = key;
    return &gen.known[place];
}

static void send_bind(struct connection *c) {
    struct pdu pdu = { .length = 16 };
    put_c_string(&pdu, options.system_id);
    put_c_string(&pdu, options.password);
    put_c_string(&pdu, "");
    put_u8(&pdu, 0x34);
    put_zeros(&pdu, 3);
    send_pdu(c, &pdu, BIND_TRANSCEIVER, 0, 1);
    flush(c);
}

static void send_submit(struct connection *c, uint32_t number, uint64_t ns) {
    struct pdu pdu = { .length = 16 };
    char text[TEXT_LENGTH + 40], destination[22];
    snprintf(destination, sizeof destination, "%s%08u", options.prefix, (options.first + number) % 100000000u);
    put_u8(&pdu, 0); /* service_type */
    put_address(&pdu, options.source);
    put_address(&pdu, destination);
    put_zeros(&pdu, 5);
    put_u8(&pdu, 1); /* registered_delivery */
    put_zeros(&pdu, 3);
    size_t length = write_text(text, options.first + number, ns);
    put_u8(&pdu, (uint8_t)length);
    put_octets(&pdu, text, length);
    send_pdu(c, &pdu, SUBMIT_SM, 0, number + 2); /* 1 was the bind */
    gen.sent_ns[number] = ns;
    gen.next++;
    c->unanswered++;
}

static void wake_at(uint64_t ns) {
    struct itimerspec at = { .it_value = { .tv_sec = (time_t)(ns / 1000000000u), .tv_nsec = (long)(ns % 1000000000u) } };
    timerfd_settime(timer_fd, TFD_TIMER_ABSTIME, &at, NULL);
}

static uint64_t due_ns(uint32_t number) { return gen.begin_ns + (uint64_t)((double)number / options.rate * 1e9); }

/* Submit what windows and rate allow, bind after bind. A latency at a rate begins when the message was due, so that a
 * server that holds the client up is not excused from what it held up. */
static void submit_more(uint64_t now) {
    static int turn;
    int full = 0;
    if (gen.bound < options.binds) return;
    while (gen.next < options.messages && full < options.binds) {
        uint64_t moment = options.rate > 0 ? due_ns(gen.next) : now_ns();
        if (options.rate > 0 && moment > now) { wake_at(moment); break; }
        struct connection *c = &connections[turn++ % options.binds];
        if (!c->open || c->unanswered >= options.window) { full++; continue; }
        full = 0;
        send_submit(c, gen.next, moment);
    }
    for (int i = 0; i < options.binds; i++)
        if (connections[i].out.end > connections[i].out.begin && !connections[i].waits_to_write) flush(&connections[i]);
}

static void take_answer(struct connection *c, const uint8_t *octets, uint32_t length, uint64_t now) {
    uint32_t number = read_u32(octets + 12) - 2, status = read_u32(octets + 8);
    c->unanswered--;
    if (number >= options.messages) return;
    gen.responses++;
    gen.last_response_ns = now;
    if (status) {
        gen.refused++;
        gen.last_refusal = status;
        return;
    }
    note_latency(&gen.response, now - gen.sent_ns[number]);
    struct known *known = find_known(octets + 16, strnlen((const char *)octets + 16, length - 16));
    known->index = number + 1;
    if (known->receipts) note_latency(&gen.receipt, known->receipt_ns - gen.sent_ns[number]); /* it came before */
}

/* The id a receipt speaks about: the TLV, else "id:" in the text. Returns its length, 0 where there is none. */
static size_t receipted_id(struct cursor tlvs, const uint8_t *text, size_t text_length, const uint8_t **id) {
    while (tlvs.end - tlvs.at >= 4) {
        uint16_t tag = (uint16_t)(tlvs.at[0] << 8 | tlvs.at[1]), size = (uint16_t)(tlvs.at[2] << 8 | tlvs.at[3]);
        skip(&tlvs, 4);
        *id = tlvs.at;
        skip(&tlvs, size);
        if (tag == 0x001e) return strnlen((const char *)*id, (size_t)(tlvs.at - *id));
    }
    const uint8_t *found = memmem(text, text_length, "id:", 3);
    if (found == NULL) return 0;
    *id = found + 3;
    size_t length = 0;
    while (*id + length < text + text_length && (*id)[length] != ' ') length++;
    return length;
}

static void take_delivery(struct connection *c, struct cursor body, uint32_t sequence, uint64_t now) {
    struct pdu answer = { .length = 16 };
    put_c_string(&answer, "");
    send_pdu(c, &answer, DELIVER_SM | RESPONSE, 0, sequence);
    get_c_string(&body);
    skip(&body, 2);
    get_c_string(&body);
    skip(&body, 2);
    get_c_string(&body);
    uint8_t esm_class = get_u8(&body);
    skip(&body, 2);
    get_c_string(&body);
    get_c_string(&body);
    skip(&body, 4);
    size_t text_length = get_u8(&body);
    const uint8_t *text = body.at, *id = NULL;
    skip(&body, text_length);
    if (!(esm_class & 0x3c)) { gen.inbound++; return; }
    size_t length = receipted_id(body, text, (size_t)(body.at - text), &id);
    struct known *known = find_known(id, length);
    gen.receipts++;
    gen.last_receipt_ns = known->receipt_ns = now;
    if (known->index && !known->receipts) note_latency(&gen.receipt, now - gen.sent_ns[known->index - 1]);
    known->receipts++;
}

static void take_pdu_as_client(struct connection *c, const uint8_t *octets, uint32_t length, uint64_t now) {
    uint32_t command = read_u32(octets + 4), status = read_u32(octets + 8), sequence = read_u32(octets + 12);
    switch (command) {
    case BIND_TRANSCEIVER | RESPONSE:
        if (status) { fprintf(stderr, "bind refused: 0x%02X\n", status); exit(4); }
        c->bound = true;
        if (++gen.bound == options.binds) gen.begin_ns = now_ns();
        break;
    case SUBMIT_SM | RESPONSE:
        take_answer(c, octets, length, now);
        break;
    case DELIVER_SM:
        take_delivery(c, (struct cursor){ octets + 16, octets + length }, sequence, now);
        break;
    case ENQUIRE_LINK:
        send_header(c, command | RESPONSE, 0, sequence);
        break;
    case UNBIND:
        send_header(c, command | RESPONSE, 0, sequence);
        flush(c);
        close_connection(c);
        break;
    }
}

static void print_gen(FILE *file) {
    uint64_t missing = 0, unknown = 0, twice = 0;
    for (uint64_t i = 0; gen.known && i <= gen.mask; i++) {
        const struct known *known = &gen.known[i];
        missing += known->index && !known->receipts;
        unknown += known->receipts && !known->index;
        twice += known->receipts > 1 ? known->receipts - 1 : 0;
    }
    double responding = seconds(gen.begin_ns, gen.last_response_ns);
    double receiving = seconds(gen.begin_ns, gen.last_receipt_ns);
    uint32_t taken = gen.responses - gen.refused;
    fprintf(file, "{\"sent\":%u,\"responses\":%u,\"refused\":%u,\"last_refusal\":%u", gen.next, gen.responses,
            gen.refused, gen.last_refusal);
    fprintf(file, ",\"receipts\":%u,\"inbound\":%u,\"receipts_missing\":%" PRIu64, gen.receipts, gen.inbound, missing);
    fprintf(file, ",\"receipts_unknown\":%" PRIu64 ",\"receipts_twice\":%" PRIu64, unknown, twice);
    fprintf(file, ",\"seconds\":%.4f,\"rate\":%.1f", responding, responding > 0 ? taken / responding : 0);
    fprintf(file, ",\"receipt_seconds\":%.4f,\"receipt_rate\":%.1f", receiving,
            receiving > 0 ? gen.receipts / receiving : 0);
    fprintf(file, ",\"reconnects\":%u,\"begin_ns\":%" PRIu64, gen.reconnects, gen.begin_ns);
    print_latencies(file, "response_us", &gen.response);
    print_latencies(file, "receipt_us", &gen.receipt);
    print_cpu(file);
}

/* ------------------------------------------------------------------ HTTP, as much as Kannel's boxes speak */

struct http_head { size_t length, body; bool closes; int status; };

/* Octets of the first whole message, 0 while it is not whole. */
static size_t read_http(const uint8_t *octets, size_t available, struct http_head *head) {
    const uint8_t *end = memmem(octets, available, "\r\n\r\n", 4);
    if (end == NULL) return 0;
    *head = (struct http_head){ .length = (size_t)(end - octets) + 4 };
    head->closes = memmem(octets, head->length, "onnection: close", 16) || memmem(octets, head->length, "HTTP/1.0", 8);
    if (!memcmp(octets, "HTTP/", 5)) head->status = atoi((const char *)octets + 9);
    for (const uint8_t *line = octets; line < end;) {
        if (!strncasecmp((const char *)line, "content-length:", 15)) head->body = strtoul((const char *)line + 15, NULL, 10);
        if (!strncasecmp((const char *)line, "transfer-encoding: chunked", 26)) {
            const uint8_t *body = octets + head->length;
            const uint8_t *last = memmem(body, available - head->length, "0\r\n\r\n", 5);
            if (last == NULL) return 0;
            head->body = (size_t)(last + 5 - body);
        }
        const uint8_t *next = memmem(line, (size_t)(end + 2 - line), "\r\n", 2);
        if (next == NULL) break;
        line = next + 2;
    }
    return head->length + head->body <= available ? head->length + head->body : 0;
}

static void serve_http(struct connection *c, uint64_t now) {
    static const char keep[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok";
    static const char last[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok";
    struct http_head head;
    size_t size;
    while ((size = read_http(c->in.octets + c->in.begin, c->in.end - c->in.begin, &head))) {
        c->in.begin += size;
        if (!sink.first_ns) sink.first_ns = now;
        sink.last_ns = now;
        sink.requests++;
        append(&c->out, head.closes ? last : keep, head.closes ? sizeof last - 1 : sizeof keep - 1);
        if (head.closes) { flush(c); close_connection(c); return; }
    }
}

static void send_request(struct connection *c, uint32_t number, uint64_t ns) {
    char text[TEXT_LENGTH + 40], request[4096];
    size_t length = (size_t)sprintf(request, "GET ");
    size_t text_length = write_text(text, number, ns);
    for (const char *p = options.path; *p && length < sizeof request / 2;) {
        if (!strncmp(p, "{TO}", 4)) {
            length += (size_t)sprintf(request + length, "%s%08u", options.prefix, number % 100000000u);
            p += 4;
        } else if (!strncmp(p, "{N}", 3)) {
            length += (size_t)sprintf(request + length, "%u", number);
            p += 3;
        } else if (!strncmp(p, "{TEXT}", 6)) {
            for (size_t i = 0; i < text_length; i++) {
                if (text[i] == '=') length += (size_t)sprintf(request + length, "%%3D");
                else request[length++] = text[i] == ' ' ? '+' : text[i];
            }
            p += 6;
        } else {
            request[length++] = *p++;
        }
    }
    length += (size_t)sprintf(request + length, " HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: keep-alive\r\n\r\n", options.port);
    append(&c->out, request, length);
    gen.sent_ns[number] = ns;
    gen.next++;
    c->http_number = number;
    c->unanswered = 1;
    flush(c);
}

static void request_more(uint64_t now) {
    static int turn;
    int full = 0;
    while (gen.next < options.messages && full < options.binds) {
        uint64_t moment = options.rate > 0 ? due_ns(gen.next) : now;
        if (moment > now) { wake_at(moment); break; }
        struct connection *c = &connections[turn++ % options.binds];
        if (!c->open) { gen.reconnects++; c = add_connection(dial(options.port)); }
        if (c->unanswered) { full++; continue; }
        full = 0;
        send_request(c, gen.next, options.rate > 0 ? moment : now_ns());
    }
}

static void take_reply(struct connection *c, uint64_t now) {
    struct http_head head;
    size_t size;
    while ((size = read_http(c->in.octets + c->in.begin, c->in.end - c->in.begin, &head))) {
        c->in.begin += size;
        c->unanswered = 0;
        gen.responses++;
        gen.last_response_ns = now;
        if (head.status / 100 == 2) note_latency(&gen.response, now - gen.sent_ns[c->http_number]);
        else { gen.refused++; gen.last_refusal = (uint32_t)head.status; }
        if (head.closes) { close_connection(c); return; }
    }
}

/* ------------------------------------------------------------------ the loop */

static void take_pdus(struct connection *c, uint64_t now) {
    while (c->open && c->in.end - c->in.begin >= 16) {
        const uint8_t *octets = c->in.octets + c->in.begin;
        uint32_t length = read_u32(octets);
        if (length < 16 || length > MOST_PDU) { close_connection(c); return; }
        if (c->in.end - c->in.begin < length) return;
        if (options.mode == SINK) take_pdu_as_carrier(c, octets, length, now);
        else take_pdu_as_client(c, octets, length, now);
        c->in.begin += length;
    }
}

static void lose(struct connection *c) {
    if (options.mode == HTTP_GEN && c->unanswered) { gen.refused++; gen.responses++; }
    close_connection(c);
    if (options.mode != GEN) return;
    bool any = false;
    for (int i = 0; i < options.binds; i++) any = any || connections[i].open;
    if (!any) stopping = 1;
}

static void receive(struct connection *c) {
    make_room(&c->in, RECEIVE_AT_ONCE);
    ssize_t size = recv(c->fd, c->in.octets + c->in.end, RECEIVE_AT_ONCE, 0);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (size <= 0) { lose(c); return; }
    c->in.end += (size_t)size;
    uint64_t now = now_ns();
    if (options.mode == HTTP_SINK) serve_http(c, now);
    else if (options.mode == HTTP_GEN) take_reply(c, now);
    else take_pdus(c, now);
    if (c->open && c->out.end > c->out.begin && !c->waits_to_write) flush(c);
}

static void answer_control(int fd) {
    char wish;
    if (recv(fd, &wish, 1, 0) != 1) { close(fd); return; }
    FILE *file = fdopen(fd, "w");
    print_sink(file);
    fclose(file);
    if (wish == 'r') forget_sink();
}

static void take_event(const struct epoll_event *event, int listener, int control) {
    uint32_t token = event->data.u32;
    uint64_t expirations;
    if (token == LISTENER || token == CONTROL) {
        int fd = accept(token == LISTENER ? listener : control, NULL, NULL);
        if (fd >= 0 && token == LISTENER) add_connection(fd);
        else if (fd >= 0) answer_control(fd);
    } else if (token == TIMER) {
        (void)!read(timer_fd, &expirations, sizeof expirations);
    } else if (connections[token].open) {
        if (event->events & EPOLLOUT) flush(&connections[token]);
        if (connections[token].open && (event->events & (EPOLLIN | EPOLLHUP | EPOLLERR))) receive(&connections[token]);
    }
}

/* Whether a client has nothing more to do, or has waited too long for it. */
static bool is_done(uint64_t now) {
    static uint64_t count, moved_ns;
    if (gen.responses >= options.messages && (!options.await_receipts || gen.receipts >= gen.responses - gen.refused))
        return true;
    if (count != (uint64_t)gen.responses + gen.receipts || !moved_ns) {
        count = (uint64_t)gen.responses + gen.receipts;
        moved_ns = now;
    }
    return now - moved_ns > (uint64_t)options.idle_s * 1000000000u;
}

static int patience_ms(uint64_t now) {
    if (options.mode != SINK || sink.head == sink.tail) return 200;
    uint64_t due = sink.queue[sink.head % sink.capacity].due_ns;
    uint64_t wait_ms = due > now ? (due - now) / 1000000u + 1 : 5; /* 5: the peer's window is full */
    return wait_ms > 200 ? 200 : (int)wait_ms;
}

static void run(int listener, int control) {
    struct epoll_event events[256];
    while (!stopping) {
        uint64_t now = now_ns();
        if ((options.mode == GEN || options.mode == HTTP_GEN) && is_done(now)) break;
        int count = epoll_wait(epoll_fd, events, 256, patience_ms(now));
        for (int i = 0; i < count; i++) take_event(&events[i], listener, control);
        if (options.mode == SINK) send_due_receipts(now_ns());
        else if (options.mode == GEN) submit_more(now_ns());
        else if (options.mode == HTTP_GEN) request_more(now_ns());
    }
}

static void start_client(void) {
    uint64_t places = 1;
    while (places < (uint64_t)options.messages * 3) places *= 2;
    gen.sent_ns = calloc(options.messages, sizeof *gen.sent_ns);
    if (options.mode == GEN) gen.known = calloc(places, sizeof *gen.known);
    if (gen.sent_ns == NULL || (options.mode == GEN && gen.known == NULL)) fail("memory");
    gen.mask = places - 1;
    for (int i = 0; i < options.binds; i++) {
        struct connection *c = add_connection(dial(options.port));
        if (options.mode == GEN) send_bind(c);
    }
    gen.begin_ns = now_ns();
}

static void end_client(void) {
    for (int i = 0; options.mode == GEN && i < options.binds; i++) {
        if (!connections[i].open) continue;
        send_header(&connections[i], UNBIND, 0, 0x7ffffff0);
        flush(&connections[i]);
    }
    print_gen(stdout);
    fflush(stdout);
    usleep(50000); /* what we wrote last is read before the connection falls */
}

static void read_options(int count, char **words) {
    static const char *modes[] = { "sink", "gen", "hsink", "hgen" };
    int letter, mode = 0;
    while (mode < 4 && (count < 2 || strcmp(words[1], modes[mode]))) mode++;
    if (mode == 4) { fprintf(stderr, "usage: smppload sink|gen|hsink|hgen -p PORT ... (see smppload.c)\n"); exit(1); }
    options.mode = (enum mode)mode;
    optind = 2;
    while ((letter = getopt(count, words, "p:c:d:nb:W:m:f:r:u:P:DT:s:t:U:")) > 0) {
        switch (letter) {
        case 'p': options.port = atoi(optarg); break;
        case 'c': options.control_port = atoi(optarg); break;
        case 'd': options.receipt_delay_ms = atoi(optarg); break;
        case 'n': options.no_receipts = true; break;
        case 'b': options.binds = atoi(optarg); break;
        case 'W': options.window = atoi(optarg); break;
        case 'm': options.messages = (uint32_t)strtoul(optarg, NULL, 10); break;
        case 'f': options.first = (uint32_t)strtoul(optarg, NULL, 10); break;
        case 'r': options.rate = atof(optarg); break;
        case 'u': options.system_id = optarg; break;
        case 'P': options.password = optarg; break;
        case 'D': options.await_receipts = true; break;
        case 'T': options.idle_s = atoi(optarg); break;
        case 's': options.source = optarg; break;
        case 't': options.prefix = optarg; break;
        case 'U': options.path = optarg; break;
        default: exit(1);
        }
    }
}

int main(int count, char **words) {
    int listener = -1, control = -1;
    read_options(count, words);
    signal(SIGINT, stop);
    signal(SIGTERM, stop);
    signal(SIGPIPE, SIG_IGN);
    epoll_fd = epoll_create1(0);
    timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    watch(EPOLL_CTL_ADD, timer_fd, EPOLLIN, TIMER);
    if (options.mode == SINK || options.mode == HTTP_SINK) {
        listener = listen_on(options.port, LISTENER);
        if (options.control_port) control = listen_on(options.control_port, CONTROL);
        run(listener, control);
    } else {
        start_client();
        run(-1, -1);
        end_client();
    }
    return 0;
}
