// SPDX-License-Identifier: Apache-2.0

package onnx

import (
	"container/heap"
	"errors"
	"fmt"

	"edgex-offload/infer/onnx/onnxpb"
)

// maxSubgraphs bounds how deep a subgraph lies in others.
const maxSubgraphs = 32

// sort puts the nodes in topological order; one that the file's order already is stays.
func (m *Model) sort() error {
	waits := make([]int, len(m.uses)) // for how many tensors a node still waits
	var ready indexHeap
	for i, uses := range m.uses {
		for _, name := range uses {
			if _, made := m.producer[name]; made {
				waits[i]++
			}
		}
		if waits[i] == 0 {
			ready = append(ready, i) // ascending, which is a heap
		}
	}
	nodes := m.Graph().GetNode()
	m.order = make([]int, 0, len(nodes))
	for len(ready) > 0 {
		at := heap.Pop(&ready).(int)
		m.order = append(m.order, at)
		for _, name := range nodes[at].GetOutput() {
			for _, reader := range m.consumers[name] {
				if waits[reader]--; waits[reader] == 0 {
					heap.Push(&ready, reader)
				}
			}
		}
	}
	for i, n := range waits {
		if n > 0 {
			return fmt.Errorf("%s waits for its own output: the graph has a cycle", nodeText(i, nodes[i]))
		}
	}
	return nil
}

// indexHeap gives the node that comes first in the file.
type indexHeap []int

func (h indexHeap) Len() int           { return len(h) }
func (h indexHeap) Less(i, j int) bool { return h[i] < h[j] }
func (h indexHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *indexHeap) Push(x any)        { *h = append(*h, x.(int)) }
func (h *indexHeap) Pop() any {
	last := len(*h) - 1
	x := (*h)[last]
	*h = (*h)[:last]
	return x
}

// Uses lists the tensors that a node reads, each once: its inputs, and what its subgraphs read
// from outside.
func (m *Model) Uses(n *onnxpb.NodeProto) []string {
	uses, _ := usesOf(n, 0) // New looked
	return uses
}

func usesOf(n *onnxpb.NodeProto, depth int) ([]string, error) {
	var uses []string
	seen := map[string]bool{"": true} // "" is an optional input that is left out
	add := func(name string) {
		if !seen[name] {
			seen[name] = true
			uses = append(uses, name)
		}
	}
	for _, name := range n.GetInput() {
		add(name)
	}
	for _, g := range subgraphs(n) {
		outer, err := freeOf(g, depth+1)
		if err != nil {
			return nil, err
		}
		for _, name := range outer {
			add(name)
		}
	}
	return uses, nil
}

// freeOf lists what a subgraph reads and does not make.
func freeOf(g *onnxpb.GraphProto, depth int) ([]string, error) {
	if depth > maxSubgraphs {
		return nil, errors.New("its subgraphs lie too deep in each other")
	}
	own := map[string]bool{"": true}
	for _, v := range g.GetInput() {
		own[v.GetName()] = true
	}
	for _, t := range g.GetInitializer() {
		own[t.GetName()] = true
	}
	for _, s := range g.GetSparseInitializer() {
		own[s.GetValues().GetName()] = true
	}
	for _, n := range g.GetNode() {
		for _, name := range n.GetOutput() {
			own[name] = true
		}
	}
	var free []string
	for _, n := range g.GetNode() {
		uses, err := usesOf(n, depth)
		if err != nil {
			return nil, err
		}
		for _, name := range uses {
			if !own[name] {
				own[name] = true
				free = append(free, name)
			}
		}
	}
	for _, v := range g.GetOutput() {
		if !own[v.GetName()] { // a subgraph may hand an outer tensor through
			own[v.GetName()] = true
			free = append(free, v.GetName())
		}
	}
	return free, nil
}

func subgraphs(n *onnxpb.NodeProto) []*onnxpb.GraphProto {
	var graphs []*onnxpb.GraphProto
	for _, a := range n.GetAttribute() {
		if a.GetG() != nil {
			graphs = append(graphs, a.GetG())
		}
		graphs = append(graphs, a.GetGraphs()...)
	}
	return graphs
}
