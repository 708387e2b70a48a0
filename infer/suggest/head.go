// SPDX-License-Identifier: Apache-2.0

package suggest

import (
	"fmt"
	"slices"
	"strings"

	"edgex-offload/infer"
)

// head is what the graph's outputs look like.
type head struct {
	kind, decoder string
	labels        int      // how many; 0 where none have to be listed
	input, lines  []string // what else it asks of section input, and of the file
}

func (g Graph) head(in input) head {
	switch in.kind {
	case "text":
		return head{kind: "NLP_ANALYSIS", decoder: infer.Classification, labels: max(g.classes(), 2)}
	case "signal":
		return g.plain(in, "SIGNAL_CLASSIFICATION", nil)
	}
	if h, is := g.detector(in); is {
		h.kind = "OBJECT_DETECTION"
		return h
	}
	return g.plain(in, "IMAGE_CLASSIFICATION", slices.Concat(in.size(classifierSide), in.colours("RGB"), in.values(
		"scale: 0.00392156862745098 # 1/255; PyTorch's models mostly want mean and std too:",
		"# mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225]; TensorFlow's mostly scale: 0.00784313725490196, mean: [1]",
	)))
}

// plain is a classifier, a regression or an autoencoder.
func (g Graph) plain(in input, kind string, lines []string) head {
	if len(g.Outputs) > 0 && len(g.Inputs) > 0 && len(g.Outputs[0].Shape) > 2 && slices.Equal(g.Outputs[0].Shape, g.Inputs[0].Shape) {
		return head{kind: "ANOMALY_DETECTION", decoder: infer.AnomalyHead, input: lines, lines: []string{
			"anomaly:", "  reconstruction: squared", "  threshold: 0.1 # above what the normal has",
		}}
	}
	if g.classes() > 1 {
		return head{kind: kind, decoder: infer.Classification, labels: g.classes(), input: lines}
	}
	return head{kind: "REGRESSION", decoder: infer.RegressionHead, labels: 1, input: lines, lines: []string{
		"regression: {units: [\"\"]} # or kind ANOMALY_DETECTION and decoder anomaly with its threshold, if the number is a score",
	}}
}

// classes is how many numbers the first float output has, 2 where that is not known.
func (g Graph) classes() int {
	spec := infer.Spec{Decoder: infer.Classification}
	picked, err := spec.PickOutputs(g.Outputs)
	if err != nil {
		return 2
	}
	n := int64(1)
	shape := g.Outputs[picked[0]].Shape
	for _, d := range shape[min(1, len(shape)):] {
		n *= bounded(d, 100_000)
	}
	if len(shape) < 2 || n < 1 || n > 100_000 {
		return 2
	}
	return int(n)
}

// detector tells the common heads by names and shapes.
func (g Graph) detector(in input) (head, bool) {
	raw := slices.Concat(in.size(detectorSide), in.colours("BGR"))
	ultralytics := slices.Concat(in.size(detectorSide), in.colours("RGB"), []string{"fit: letterbox"}, in.values("scale: 0.00392156862745098 # 1/255"))
	if g.has("cls_8") && g.has("obj_8") && g.has("bbox_8") {
		return head{
			decoder: infer.YuNet, labels: 1, input: append(raw, "fit: letterbox-corner", "pad: 0", "scale: 1"),
			lines: []string{"detection: {threshold: 0.6, iou: 0.3}"},
		}, true
	}
	if classes, is := g.ssd(); is {
		return head{
			decoder: infer.SSD, labels: classes,
			input: slices.Concat(in.size(detectorSide), in.colours("RGB"), in.values("scale: 1", "mean: [127]", "std: [128]")),
		}, true
	}
	if len(g.Outputs) == 0 || len(g.Outputs[0].Shape) != 3 {
		return head{}, false
	}
	rows, columns := g.Outputs[0].Shape[1], g.Outputs[0].Shape[2]
	cells := in.cells()
	switch {
	case columns == 6 && rows > 6 && rows <= 1000:
		return head{decoder: infer.End2End, labels: g.noted(), input: ultralytics}, true
	case rows == cells && columns > 5:
		return head{decoder: infer.YOLOX, labels: int(columns - 5), input: append(raw, "fit: letterbox-corner", "scale: 1")}, true
	case rows == 3*cells && columns > 5:
		return head{decoder: infer.YOLOv5, labels: int(columns - 5), input: ultralytics}, true
	case columns == cells && rows > 4, g.Notes["task"] == "detect" && rows > 4:
		return head{decoder: infer.YOLOv8, labels: int(rows - 4), input: ultralytics}, true
	}
	return head{}, false
}

func (g Graph) has(output string) bool {
	return slices.ContainsFunc(g.Outputs, func(p infer.Port) bool { return p.Name == output })
}

// ssd finds scores [1, N, C] and boxes [1, N, 4]; the first class is the background.
func (g Graph) ssd() (classes int, is bool) {
	if len(g.Outputs) != 2 {
		return 0, false
	}
	a, b := g.Outputs[0].Shape, g.Outputs[1].Shape
	if len(a) != 3 || len(b) != 3 || a[1] != b[1] {
		return 0, false
	}
	if a[2] == 4 && b[2] != 4 {
		a, b = b, a
	}
	if b[2] != 4 || a[2] < 2 || a[2] > 10_000 {
		return 0, false
	}
	return int(a[2] - 1), true
}

// cells are those of grids of 8, 16 and 32 pixels over the picture.
func (in input) cells() (n int64) {
	w, h := in.width, in.height
	if w == 0 || h == 0 {
		w, h = detectorSide, detectorSide
	}
	for _, s := range []int64{8, 16, 32} {
		n += (w / s) * (h / s)
	}
	return n
}

func (in input) colours(order string) []string {
	if in.channels == 1 {
		order = "GRAY"
	}
	return []string{"color: " + order}
}

// values are the lines of a normalisation; whole numbers are fed as they are.
func (in input) values(lines ...string) []string {
	if in.whole {
		return []string{"scale: 1"}
	}
	return lines
}

// labels are those that the exporter noted, else names to be replaced.
func (g Graph) labels(n int) string {
	const most = 100
	names := namesOf(g.Notes["names"])
	if len(names) != n {
		names = nil
		for i := range min(n, most) {
			names = append(names, fmt.Sprintf("class%d", i))
		}
	}
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = fmt.Sprintf("%q", name)
	}
	text := "labels: [" + strings.Join(quoted, ", ") + "]"
	switch {
	case len(names) < n:
		return text + fmt.Sprintf(" # %d in all: list them in the order of the output", n)
	case names[0] == "class0":
		return text + " # rename them"
	}
	return text
}

// noted is how many classes the exporter noted.
func (g Graph) noted() int { return max(len(namesOf(g.Notes["names"])), 1) }
