// SPDX-License-Identifier: Apache-2.0

package emulator

import "time"

// Profiles lists the kinds of link, wired, wireless, mobile, and one for demonstrations.
func Profiles() []Profile {
	return []Profile{
		{
			Name: "lan", Also: "ethernet",
			About: "wired Ethernet: 1 ms, 900 Mbit/s, steady",
			regimes: []regime{
				{
					stay: span(60*second, 60*second), rtt: span(600*time.Microsecond, 700*time.Microsecond), noise: 300 * time.Microsecond,
					up: rates(930, 930), down: rates(930, 930), load: .03, buffer: 2 * ms, next: to(0),
				},
			},
		},
		{
			Name:  "wifi",
			About: "8 ms and 40 Mbit/s, busy spells at 30 ms, and stalls of half a second to several",
			regimes: []regime{
				{
					stay: span(10*second, 25*second), rtt: span(3*ms, 7*ms), noise: 3 * ms,
					up: rates(35, 80), down: rates(45, 100), fading: .3, load: .15, buffer: 150 * ms, loss: .0005,
					stalls: interruption{.7, 500 * ms, .9, 7 * second}, next: to(1),
				},
				{
					stay: span(3*second, 7*second), rtt: span(5*ms, 12*ms), noise: 12 * ms,
					up: rates(10, 25), down: rates(12, 35), fading: .4, load: .5, buffer: 150 * ms, loss: .005,
					stalls: interruption{2, 600 * ms, .9, 7 * second}, next: to(0),
				},
			},
		},
		{
			Name:  "lte",
			About: "40 ms and 6 Mbit/s up, loaded cells at 150 ms and 1 Mbit/s, seconds of backlog, handovers",
			regimes: []regime{
				{
					stay: span(15*second, 30*second), rtt: span(33*ms, 39*ms), noise: 4 * ms,
					up: rates(6, 14), down: rates(14, 40), fading: .45, load: .12, buffer: 250 * ms,
					stalls: interruption{.8, 500 * ms, .8, 4 * second}, handover: span(40*ms, 150*ms), next: []step{{0, .4}, {1, .6}},
				},
				{
					stay: span(4*second, 12*second), rtt: span(36*ms, 48*ms), noise: 9 * ms,
					up: rates(1.5, 4), down: rates(3, 10), fading: .7, load: .45, buffer: 350 * ms, loss: .001,
					stalls:  interruption{3, 600 * ms, .8, 4 * second},
					outages: interruption{.6, 400 * ms, .7, 5 * second}, handover: span(50*ms, 250*ms), next: []step{{0, .7}, {1, .3}},
				},
			},
		},
		{
			Name:  "5g",
			About: "in a city: 16 ms and 25 Mbit/s up, 90 down, handovers of a tenth of a second, few longer stalls",
			regimes: []regime{
				{
					stay: span(15*second, 40*second), rtt: span(12*ms, 15*ms), noise: 2500 * time.Microsecond,
					up: rates(18, 45), down: rates(60, 180), fading: .35, load: .12, buffer: 80 * ms,
					stalls: interruption{.15, 150 * ms, .6, 1 * second}, handover: span(30*ms, 120*ms), next: []step{{0, .6}, {1, .4}},
				},
				{
					stay: span(5*second, 15*second), rtt: span(14*ms, 19*ms), noise: 4 * ms,
					up: rates(6, 18), down: rates(20, 60), fading: .5, load: .25, buffer: 100 * ms, loss: .0005,
					stalls: interruption{1, 200 * ms, .6, 1500 * ms}, handover: span(30*ms, 150*ms), next: []step{{0, .8}, {1, .2}},
				},
			},
		},
		{
			Name:  "5g-drive",
			About: "through the country: 20 ms and 20 Mbit/s near a mast, 3 at the edge of its cell, gaps with seconds of backlog",
			regimes: []regime{
				{
					stay: span(10*second, 25*second), rtt: span(14*ms, 20*ms), noise: 4 * ms,
					up: rates(12, 35), down: rates(40, 160), fading: .4, load: .12, buffer: 120 * ms,
					stalls: interruption{.5, 250 * ms, .7, 2 * second}, handover: span(50*ms, 250*ms), next: []step{{0, .3}, {1, .7}},
				},
				{
					stay: span(4*second, 12*second), rtt: span(20*ms, 35*ms), noise: 10 * ms,
					up: rates(2, 6), down: rates(6, 25), fading: .7, load: .3, buffer: 300 * ms, loss: .003,
					stalls:  interruption{4, 700 * ms, .9, 10 * second},
					outages: interruption{1.5, 600 * ms, .8, 6 * second}, handover: span(100*ms, 400*ms), next: []step{{0, .8}, {1, .2}},
				},
			},
		},
		{
			Name:  "3g",
			About: "65 ms and 1 Mbit/s up, 2 down, half of the time far less; queues and stalls of seconds",
			regimes: []regime{
				{
					stay: span(10*second, 30*second), rtt: span(55*ms, 62*ms), noise: 5 * ms,
					up: rates(.9, 1.8), down: rates(1.2, 3), fading: .45, load: .12, buffer: 300 * ms,
					stalls: interruption{1, 500 * ms, .9, 6 * second}, handover: span(100*ms, 400*ms), next: []step{{0, .4}, {1, .6}},
				},
				{
					stay: span(5*second, 15*second), rtt: span(60*ms, 80*ms), noise: 12 * ms,
					up: rates(.25, .7), down: rates(.3, 1), fading: .8, load: .4, buffer: 500 * ms, loss: .002,
					stalls:  interruption{3.5, 900 * ms, .9, 6 * second},
					outages: interruption{.5, 800 * ms, .7, 6 * second}, handover: span(150*ms, 600*ms), next: []step{{0, .7}, {1, .3}},
				},
			},
		},
		{
			Name:  "satellite",
			About: "low orbit: 60 ms and 14 Mbit/s up, 200 down, another path every 15 s, an outage of 50 to 100 ms every 3 s",
			regimes: []regime{
				{
					stay: span(15*second, 15*second), rtt: span(42*ms, 63*ms), noise: 9 * ms,
					up: rates(9, 26), down: rates(125, 450), fading: .35, load: .08, buffer: 60 * ms, loss: .002,
					stalls:   interruption{.3, 150 * ms, .5, 400 * ms},
					outages:  interruption{22, 45 * ms, .45, 2 * second},
					handover: span(20*ms, 150*ms), next: []step{{0, .95}, {1, .05}},
				},
				{ // something stands in the way of the path
					stay: span(15*second, 15*second), rtt: span(50*ms, 75*ms), noise: 13 * ms,
					up: rates(5, 12), down: rates(40, 120), fading: .5, load: .1, buffer: 80 * ms, loss: .01,
					outages:  interruption{60, 80 * ms, .9, 3 * second},
					handover: span(20*ms, 150*ms), next: to(0),
				},
			},
		},
		{
			Name:  "flaky",
			About: "for demonstrations: outages of 2 to 4 s every 10 s or so, and in between 10 Mbit/s or 1 Mbit/s",
			regimes: []regime{
				{
					stay: span(7*second, 9*second), rtt: span(25*ms, 40*ms), noise: 8 * ms,
					up: rates(8, 14), down: rates(18, 45), fading: .2, load: .1, buffer: 150 * ms,
					handover: span(2*second, 4*second), loses: true, next: []step{{0, .4}, {1, .6}},
				},
				{
					stay: span(2*second, 4*second), rtt: span(50*ms, 90*ms), noise: 30 * ms,
					up: rates(1, 2.5), down: rates(2.5, 6), fading: .3, load: .4, buffer: 250 * ms, loss: .005,
					next: to(0),
				},
			},
		},
	}
}
