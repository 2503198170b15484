// A bare-metal guest that is not the demo guest: C, ring 0, one queue pair, one buffer per frame, no offloads.
// It finds its card in virtio_mmio.device=, answers ARP, ICMP echo and UDP echo on port 7, and ends on UDP port 9.
// Words on the command line: "edge" or "level" wait with HLT for the interrupt of that trigger mode; without one it polls.
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;

#define QUEUE 16
#define FRAME 2048
#define HEADER 12

struct desc { u64 addr; u32 len; u16 flags, next; };
struct avail { u16 flags, idx, ring[QUEUE]; };
struct used_elem { u32 id, len; };
struct used { u16 flags, idx; struct used_elem ring[QUEUE]; };
struct queue { struct desc desc[QUEUE]; struct avail avail; __attribute__((aligned(4))) struct used used; };

static struct queue queues[2] __attribute__((aligned(4096)));
static u8 receive_buffers[QUEUE][FRAME] __attribute__((aligned(4096)));
static u8 transmit_buffers[QUEUE][FRAME] __attribute__((aligned(4096)));
static volatile u8 *card;
static u8 mac[6], ip[4] = { 10, 0, 0, 2 };
static u16 receive_seen, transmit_count;
static volatile u32 interrupts;
extern struct { u16 low, selector, flags, middle; u32 high, zero; } idt[256];
extern char irq_entry[];

static void outb(u16 port, u8 v) { __asm__ volatile("outb %0, %1" : : "a"(v), "Nd"(port)); }
static void print(const char *s) { while (*s) outb(0x3f8, (u8)*s++); }
static void mmio_write(u32 r, u32 v) { *(volatile u32 *)(card + r) = v; }
static u32 mmio_read(u32 r) { return *(volatile u32 *)(card + r); }
static void barrier(void) { __asm__ volatile("mfence" : : : "memory"); }

static void end(u8 status) { outb(0x501, status); for (;;) __asm__ volatile("cli; hlt"); }
static void fail(const char *why) { print("foreign guest: "); print(why); print("\n"); end(1); }

static const char *find(const char *line, const char *word) {
    for (; *line; line++) {
        const char *a = line, *b = word;
        while (*b && *a == *b) a++, b++;
        if (!*b) return a;
    }
    return 0;
}

static u64 number(const char **p) {
    u64 v = 0;
    u32 base = 10;
    if ((*p)[0] == '0' && (*p)[1] == 'x') base = 16, *p += 2;
    for (;; (*p)++) {
        char c = **p;
        u32 d = c >= '0' && c <= '9' ? (u32)(c - '0') : c >= 'a' && c <= 'f' ? (u32)(c - 'a' + 10) : 99;
        if (d >= base) break;
        v = v * base + d;
    }
    if (**p == 'K') v <<= 10, (*p)++;
    if (**p == 'M') v <<= 20, (*p)++;
    return v;
}

static u16 checksum(const u8 *p, u32 n, u32 sum) {
    for (u32 i = 0; i + 1 < n; i += 2) sum += (u32)p[i] << 8 | p[i + 1];
    if (n & 1) sum += (u32)p[n - 1] << 8;
    while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
    return (u16)~sum;
}

static void set_queue(u32 q) {
    mmio_write(0x030, q);
    if (mmio_read(0x034) < QUEUE) fail("queue too small");
    mmio_write(0x038, QUEUE);
    u64 a[3] = { (u64)queues[q].desc, (u64)&queues[q].avail, (u64)&queues[q].used };
    for (u32 i = 0; i < 3; i++) {
        mmio_write(0x080 + i * 16, (u32)a[i]);
        mmio_write(0x084 + i * 16, (u32)(a[i] >> 32));
    }
    mmio_write(0x044, 1);
}

static void offer(u16 d) {
    struct queue *q = &queues[0];
    q->desc[d] = (struct desc){ (u64)receive_buffers[d], FRAME, 2, 0 };
    q->avail.ring[q->avail.idx % QUEUE] = d;
    barrier();
    q->avail.idx++;
}

static void send(const u8 *frame, u32 n) {
    struct queue *q = &queues[1];
    while ((u16)(transmit_count - *(volatile u16 *)&q->used.idx) >= QUEUE) barrier();
    u16 d = transmit_count++ % QUEUE;
    for (u32 i = 0; i < HEADER; i++) transmit_buffers[d][i] = 0;
    for (u32 i = 0; i < n; i++) transmit_buffers[d][HEADER + i] = frame[i];
    q->desc[d] = (struct desc){ (u64)transmit_buffers[d], HEADER + n, 0, 0 };
    q->avail.ring[q->avail.idx % QUEUE] = d;
    barrier();
    q->avail.idx++;
    barrier();
    if (!(q->used.flags & 1)) mmio_write(0x050, 1);
}

static void swap(u8 *a, u8 *b, u32 n) { for (u32 i = 0; i < n; i++) { u8 t = a[i]; a[i] = b[i]; b[i] = t; } }

static void frame_in(u8 *f, u32 n) {
    if (n >= 42 && f[12] == 8 && f[13] == 6 && f[21] == 1 && !__builtin_memcmp(f + 38, ip, 4)) {
        for (u32 i = 0; i < 6; i++) f[i] = f[6 + i], f[6 + i] = mac[i];
        f[21] = 2;
        swap(f + 22, f + 32, 10);
        for (u32 i = 0; i < 6; i++) f[22 + i] = mac[i];
        for (u32 i = 0; i < 4; i++) f[28 + i] = ip[i];
        send(f, n);
        return;
    }
    if (n < 34 || f[12] != 8 || f[13] != 0 || f[14] != 0x45 || __builtin_memcmp(f + 30, ip, 4)) return;
    u32 length = (u32)f[16] << 8 | f[17];
    if (length + 14 > n || length < 28) return;
    swap(f, f + 6, 6);
    swap(f + 26, f + 30, 4);
    if (f[23] == 1 && f[34] == 8) {
        f[34] = 0; f[36] = f[37] = 0;
        u16 c = checksum(f + 34, length - 20, 0);
        f[36] = (u8)(c >> 8); f[37] = (u8)c;
        send(f, 14 + length);
    } else if (f[23] == 17 && f[36] == 0 && f[37] == 7) {
        swap(f + 34, f + 36, 2);    // swapping ports and addresses leaves the checksum right
        send(f, 14 + length);
    } else if (f[23] == 17 && f[36] == 0 && f[37] == 9) {
        print("foreign guest: bye\n");
        end(3);
    }
}

static void receive(void) {
    struct queue *q = &queues[0];
    u32 taken = 0;
    while (receive_seen != *(volatile u16 *)&q->used.idx) {
        barrier();
        struct used_elem e = q->used.ring[receive_seen++ % QUEUE];
        if (e.len > HEADER) frame_in(receive_buffers[e.id] + HEADER, e.len - HEADER);
        offer((u16)e.id);
        taken++;
    }
    barrier();
    if (taken && !(q->used.flags & 1)) mmio_write(0x050, 0);
}

void guest_irq(void) {
    mmio_write(0x064, mmio_read(0x060));
    interrupts++;
    *(volatile u32 *)0xfee000b0 = 0;
}

static void interrupts_on(u32 gsi, u32 is_level) {
    u64 entry = (u64)irq_entry;
    idt[0x40].low = (u16)entry; idt[0x40].selector = 8; idt[0x40].flags = 0x8e00;
    idt[0x40].middle = (u16)(entry >> 16); idt[0x40].high = (u32)(entry >> 32);
    outb(0x21, 0xff); outb(0xa1, 0xff);
    *(volatile u32 *)0xfee000f0 = 0x1ff;
    volatile u32 *select = (u32 *)0xfec00000, *window = (u32 *)0xfec00010;
    *select = 0x10 + gsi * 2 + 1; *window = 0;
    *select = 0x10 + gsi * 2; *window = 0x40 | (is_level ? 0x8000 : 0);
}

void guest_main(u32 *info) {
    print("foreign guest: hello\n");
    if (info[0] != 0x336ec578) fail("no start info");
    const char *line = (const char *)*(u64 *)(info + 6);
    const char *p = find(line, "virtio_mmio.device=");
    if (!p) fail("no virtio_mmio.device=");
    u64 size = number(&p);
    if (*p++ != '@' || size < 0x200) fail("bad window");
    card = (u8 *)number(&p);
    if (*p++ != ':') fail("bad interrupt");
    u32 gsi = (u32)number(&p);
    const char *i = find(line, "ip=");
    if (i) for (u32 n = 0; n < 4; n++, i++) ip[n] = (u8)number(&i);
    if (mmio_read(0) != 0x74726976 || mmio_read(4) != 2 || mmio_read(8) != 1) fail("no virtio-net of version 2");
    mmio_write(0x070, 0); mmio_write(0x070, 1); mmio_write(0x070, 3);
    mmio_write(0x014, 1);
    if (!(mmio_read(0x010) & 1)) fail("no VERSION_1");
    mmio_write(0x024, 0); mmio_write(0x020, 1 << 5);    // MAC
    mmio_write(0x024, 1); mmio_write(0x020, 1);
    mmio_write(0x070, 11);
    if (!(mmio_read(0x070) & 8)) fail("features refused");
    for (u32 n = 0; n < 6; n++) mac[n] = card[0x100 + n];
    set_queue(0);
    set_queue(1);
    queues[1].avail.flags = 1;      // no interrupts for what was sent
    u32 is_edge = find(line, "edge") != 0, is_level = find(line, "level") != 0;
    if (is_edge || is_level) interrupts_on(gsi, is_level); else queues[0].avail.flags = 1;
    mmio_write(0x070, 15);
    for (u16 d = 0; d < QUEUE; d++) offer(d);
    mmio_write(0x050, 0);
    print("foreign guest: ready\n");
    for (;;) {
        if (!is_edge && !is_level) { receive(); continue; }
        __asm__ volatile("cli");
        u32 before = interrupts;
        receive();
        if (interrupts == before && receive_seen == *(volatile u16 *)&queues[0].used.idx) __asm__ volatile("sti; hlt"); else __asm__ volatile("sti");
    }
}

int memcmp(const void *a, const void *b, u64 n) {
    const u8 *x = a, *y = b;
    for (; n; n--, x++, y++) if (*x != *y) return *x - *y;
    return 0;
}
