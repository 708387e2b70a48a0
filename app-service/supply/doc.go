// SPDX-License-Identifier: Apache-2.0

// Package supply reads what the box runs on, how warm it is and how fast it may run, from what
// Linux shows as files:
//
//   - /sys/class/power_supply and /sys/class/thermal: batteries, temperatures, trip points and
//     cooling devices (the kernel's Documentation/ABI/testing/sysfs-class-power and -thermal);
//   - /sys/devices/system/cpu/cpufreq: the clocks of the cores and their limits
//     (Documentation/admin-guide/pm/cpufreq.rst);
//   - /sys/class/devfreq: those of a Jetson's GPU (Documentation/ABI/testing/sysfs-class-devfreq);
//   - /sys/class/hwmon: the INA3221 and INA238 that measure a Jetson's power
//     (Documentation/hwmon/ina3221.rst), and its count of over-currents;
//   - /var/lib/nvpmodel/status and /etc/nvpmodel.conf: a Jetson's power mode (NVIDIA Jetson Linux
//     Developer Guide, Platform Power and Performance, nvpmodel).
//
// What differs between JetPack 5, 6 and 7 is written where it is read; testdata has a tree of
// each. Invariants: nothing here is an error. What is missing, unreadable or absurd counts as
// not there: a box without a battery is on the mains, one without clocks runs at full speed. Of
// no folder and of no file more is read than is bounded, and only regular files are opened. The
// speed comes from the limits of the clocks and never from what they are at: an idle box is not
// a slow one.
//
// Concurrency: a Reader has no state; a Watch belongs to the goroutine that runs it, and its
// State may be asked for by any.
package supply
