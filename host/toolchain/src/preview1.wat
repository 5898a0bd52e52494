;; The empty adapter: WASI preview 1 with nothing behind it.
;;
;; The C libraries and the runtime of Go import `wasi_snapshot_preview1`. A plugin has no files, no
;; environment, no arguments, no input and no network, so this module answers each of those calls by
;; itself, inside the component, which then imports no WASI at all.
;;
;; - There are the descriptors 0, 1 and 2 and no others. Input is at its end; what is printed is
;;   dropped: the import `log` is the way to say something.
;; - The clocks count: a microsecond goes by with each look, and a sleep is over at once. The time of
;;   the plant is the argument `now`.
;; - Random numbers are the same in each instance, so that the same samples give the same actions.
;; - `proc_exit` traps.
;;
;; It must not call the host, and so must not be written in terms of WASI 0.2: Go asks for the time
;; within `cabi_realloc`, where a component may not be left.
;; Only memory is imported: the functions that a module does not use are removed from its copy.
(module
  (import "env" "memory" (memory 0))

  ;; Errors, as preview 1 numbers them.
  (global $badf i32 (i32.const 8))
  (global $inval i32 (i32.const 28))
  (global $spipe i32 (i32.const 70))

  ;; Nanoseconds that went by.
  (global $clock (mut i64) (i64.const 0))
  ;; State of the random numbers; any number but 0.
  (global $seed (mut i64) (i64.const 0x2545f4914f6cdd1d))

  ;; Not of preview 1: Go's bindings ask the adapter of other hosts to leave its clock alone while
  ;; they allocate. This one never calls out.
  (func (export "adapter_monotonic_clock_set_paused") (param i32))

  ;; No arguments and no environment.
  (func (export "args_get") (param i32 i32) (result i32) (i32.const 0))
  (func (export "args_sizes_get") (param $count i32) (param $bytes i32) (result i32)
    (call $none (local.get $count) (local.get $bytes)))
  (func (export "environ_get") (param i32 i32) (result i32) (i32.const 0))
  (func (export "environ_sizes_get") (param $count i32) (param $bytes i32) (result i32)
    (call $none (local.get $count) (local.get $bytes)))
  (func $none (param $count i32) (param $bytes i32) (result i32)
    (i32.store (local.get $count) (i32.const 0))
    (i32.store (local.get $bytes) (i32.const 0))
    (i32.const 0))

  ;; Clocks.
  (func (export "clock_res_get") (param $id i32) (param $to i32) (result i32)
    (i64.store (local.get $to) (i64.const 1000))
    (i32.const 0))
  (func (export "clock_time_get") (param $id i32) (param $precision i64) (param $to i32) (result i32)
    (global.set $clock (i64.add (global.get $clock) (i64.const 1000)))
    (i64.store (local.get $to) (global.get $clock))
    (i32.const 0))
  (func (export "sched_yield") (result i32) (i32.const 0))

  ;; All that is waited for has happened: clocks are moved on, descriptors are no good.
  ;; A subscription has 48 bytes, its event 32.
  (func (export "poll_oneoff")
    (param $subscription i32) (param $event i32) (param $left i32) (param $count i32) (result i32)
    (if (i32.eqz (local.get $left)) (then (return (global.get $inval))))
    (i32.store (local.get $count) (local.get $left))
    (loop $next
      (i64.store (local.get $event) (i64.load (local.get $subscription)))
      (i64.store offset=16 (local.get $event) (i64.const 0))
      (i64.store offset=24 (local.get $event) (i64.const 0))
      (i32.store offset=8 (local.get $event) (i32.const 0))
      (i32.store8 offset=10 (local.get $event) (i32.load8_u offset=8 (local.get $subscription)))
      (if (i32.load8_u offset=8 (local.get $subscription))
        (then (i32.store16 offset=8 (local.get $event) (global.get $badf)))
        (else (call $sleep
          (i64.load offset=24 (local.get $subscription))
          (i32.load16_u offset=40 (local.get $subscription)))))
      (local.set $subscription (i32.add (local.get $subscription) (i32.const 48)))
      (local.set $event (i32.add (local.get $event) (i32.const 32)))
      (local.set $left (i32.sub (local.get $left) (i32.const 1)))
      (br_if $next (local.get $left)))
    (i32.const 0))
  ;; Flag 1: the time is a moment, which may have gone by, and no span.
  (func $sleep (param $time i64) (param $flags i32)
    (if (i32.eqz (i32.and (local.get $flags) (i32.const 1)))
      (then (global.set $clock (i64.add (global.get $clock) (local.get $time))))
      (else
        (if (i64.gt_u (local.get $time) (global.get $clock))
          (then (global.set $clock (local.get $time)))))))

  ;; Random numbers: xorshift, a byte a step.
  (func (export "random_get") (param $to i32) (param $left i32) (result i32)
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $left)))
        (global.set $seed (i64.xor (global.get $seed) (i64.shl (global.get $seed) (i64.const 13))))
        (global.set $seed (i64.xor (global.get $seed) (i64.shr_u (global.get $seed) (i64.const 7))))
        (global.set $seed (i64.xor (global.get $seed) (i64.shl (global.get $seed) (i64.const 17))))
        (i64.store8 (local.get $to) (i64.shr_u (global.get $seed) (i64.const 32)))
        (local.set $to (i32.add (local.get $to) (i32.const 1)))
        (local.set $left (i32.sub (local.get $left) (i32.const 1)))
        (br $next)))
    (i32.const 0))

  ;; The end of a program is a trap.
  (func (export "proc_exit") (param i32) (unreachable))
  (func (export "proc_raise") (param i32) (result i32) (unreachable))

  ;; Input, output and errors.
  (func $standard (param $fd i32) (result i32) (i32.lt_u (local.get $fd) (i32.const 3)))
  (func $known (param $fd i32) (result i32)
    (select (i32.const 0) (global.get $badf) (call $standard (local.get $fd))))
  (func (export "fd_close") (param $fd i32) (result i32) (call $known (local.get $fd)))
  (func (export "fd_fdstat_set_flags") (param $fd i32) (param i32) (result i32)
    (call $known (local.get $fd)))
  (func (export "fd_seek") (param $fd i32) (param i64 i32 i32) (result i32)
    (select (global.get $spipe) (global.get $badf) (call $standard (local.get $fd))))
  ;; A character device without rights to seek: what a C library takes for a terminal.
  (func (export "fd_fdstat_get") (param $fd i32) (param $to i32) (result i32)
    (if (i32.eqz (call $standard (local.get $fd))) (then (return (global.get $badf))))
    (i64.store (local.get $to) (i64.const 2))
    (i64.store offset=8 (local.get $to) (i64.const 0x42))
    (i64.store offset=16 (local.get $to) (i64.const 0))
    (i32.const 0))
  (func (export "fd_read") (param $fd i32) (param i32 i32) (param $count i32) (result i32)
    (if (local.get $fd) (then (return (global.get $badf))))
    (i32.store (local.get $count) (i32.const 0))
    (i32.const 0))
  (func (export "fd_write")
    (param $fd i32) (param $piece i32) (param $left i32) (param $count i32) (result i32)
    (local $total i32)
    (if (i32.eqz (call $standard (local.get $fd))) (then (return (global.get $badf))))
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $left)))
        (local.set $total (i32.add (local.get $total) (i32.load offset=4 (local.get $piece))))
        (local.set $piece (i32.add (local.get $piece) (i32.const 8)))
        (local.set $left (i32.sub (local.get $left) (i32.const 1)))
        (br $next)))
    (i32.store (local.get $count) (local.get $total))
    (i32.const 0))

  ;; No other descriptor exists, and what needs a folder or a socket needs one of them.
  (func (export "fd_advise") (param i32 i64 i64 i32) (result i32) (global.get $badf))
  (func (export "fd_allocate") (param i32 i64 i64) (result i32) (global.get $badf))
  (func (export "fd_datasync") (param i32) (result i32) (global.get $badf))
  (func (export "fd_fdstat_set_rights") (param i32 i64 i64) (result i32) (global.get $badf))
  (func (export "fd_filestat_get") (param i32 i32) (result i32) (global.get $badf))
  (func (export "fd_filestat_set_size") (param i32 i64) (result i32) (global.get $badf))
  (func (export "fd_filestat_set_times") (param i32 i64 i64 i32) (result i32) (global.get $badf))
  (func (export "fd_pread") (param i32 i32 i32 i64 i32) (result i32) (global.get $badf))
  (func (export "fd_prestat_get") (param i32 i32) (result i32) (global.get $badf))
  (func (export "fd_prestat_dir_name") (param i32 i32 i32) (result i32) (global.get $badf))
  (func (export "fd_pwrite") (param i32 i32 i32 i64 i32) (result i32) (global.get $badf))
  (func (export "fd_readdir") (param i32 i32 i32 i64 i32) (result i32) (global.get $badf))
  (func (export "fd_renumber") (param i32 i32) (result i32) (global.get $badf))
  (func (export "fd_sync") (param i32) (result i32) (global.get $badf))
  (func (export "fd_tell") (param i32 i32) (result i32) (global.get $badf))
  (func (export "path_create_directory") (param i32 i32 i32) (result i32) (global.get $badf))
  (func (export "path_filestat_get") (param i32 i32 i32 i32 i32) (result i32) (global.get $badf))
  (func (export "path_filestat_set_times") (param i32 i32 i32 i32 i64 i64 i32) (result i32) (global.get $badf))
  (func (export "path_link") (param i32 i32 i32 i32 i32 i32 i32) (result i32) (global.get $badf))
  (func (export "path_open") (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32) (global.get $badf))
  (func (export "path_readlink") (param i32 i32 i32 i32 i32 i32) (result i32) (global.get $badf))
  (func (export "path_remove_directory") (param i32 i32 i32) (result i32) (global.get $badf))
  (func (export "path_rename") (param i32 i32 i32 i32 i32 i32) (result i32) (global.get $badf))
  (func (export "path_symlink") (param i32 i32 i32 i32 i32) (result i32) (global.get $badf))
  (func (export "path_unlink_file") (param i32 i32 i32) (result i32) (global.get $badf))
  (func (export "sock_accept") (param i32 i32 i32) (result i32) (global.get $badf))
  (func (export "sock_recv") (param i32 i32 i32 i32 i32 i32) (result i32) (global.get $badf))
  (func (export "sock_send") (param i32 i32 i32 i32 i32) (result i32) (global.get $badf))
  (func (export "sock_shutdown") (param i32 i32) (result i32) (global.get $badf))
)
