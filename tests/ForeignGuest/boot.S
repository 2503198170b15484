/* A PVH entry written against the Xen PVH ABI alone; shares nothing with the demo guest. */
    .section .note.pvh, "a", @note
    .align 4
    .long 4, 4, 18                  /* name size, descriptor size, XEN_ELFNOTE_PHYS32_ENTRY */
    .asciz "Xen"
    .long start32

    .section .text
    .code32
    .global start32
start32:
    cli
    mov %ebx, start_info
    mov $stack_top, %esp
    mov $page_directory, %edi       /* 4 GiB identity map of 2 MiB pages */
    mov $0x83, %eax
    mov $2048, %ecx
1:  mov %eax, (%edi)
    movl $0, 4(%edi)
    add $8, %edi
    add $0x200000, %eax
    loop 1b
    mov $pdpt, %edi
    mov $page_directory + 3, %eax
    mov $4, %ecx
2:  mov %eax, (%edi)
    movl $0, 4(%edi)
    add $8, %edi
    add $0x1000, %eax
    loop 2b
    movl $pdpt + 3, pml4
    mov $pml4, %eax
    mov %eax, %cr3
    mov %cr4, %eax
    or $0x20, %eax
    mov %eax, %cr4
    mov $0xc0000080, %ecx
    rdmsr
    or $0x100, %eax
    wrmsr
    mov %cr0, %eax
    or $0x80000001, %eax
    mov %eax, %cr0
    lgdt gdt_pointer
    ljmp $8, $start64

    .code64
start64:
    mov $16, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    mov $stack_top, %rsp
    lidt idt_pointer
    mov start_info, %edi
    call guest_main
3:  hlt
    jmp 3b

    .global irq_entry
irq_entry:
    push %rax; push %rcx; push %rdx; push %rsi; push %rdi; push %r8; push %r9; push %r10; push %r11
    call guest_irq
    pop %r11; pop %r10; pop %r9; pop %r8; pop %rdi; pop %rsi; pop %rdx; pop %rcx; pop %rax
    iretq

    .data
    .align 8
gdt:
    .quad 0, 0x00af9a000000ffff, 0x00cf92000000ffff
gdt_pointer:
    .word 23
    .long gdt
    .align 8
    .global idt
idt_pointer:
    .word 4095
    .quad idt
start_info: .long 0
    .bss
    .align 4096
pml4: .skip 4096
pdpt: .skip 4096
page_directory: .skip 16384
idt: .skip 4096
    .skip 16384
stack_top:

    .section .note.GNU-stack, "", @progbits
