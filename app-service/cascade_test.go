// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"image/jpeg"
	"os"
	"path/filepath"
	"testing"

	"github.com/edgexfoundry/go-mod-core-contracts/v3/dtos"
	"github.com/stretchr/testify/require"

	"edgex-offload/app-service/routes"
	"edgex-offload/offload"
	"edgex-offload/synth/conveyor"
)

// finding is a cloud that finds two parts in every picture, and says of each what it is.
type finding struct{}

func (finding) InferModel(_ context.Context, task offload.Task) (offload.Answer, error) {
	if task.Kind == offload.ObjectDetection {
		return offload.Answer{Label: "part", Confidence: .9, Model: "parts/1", Objects: []offload.Object{
			{Label: "part", Confidence: .9, X: 10, Y: 10, W: 100, H: 100}, {Label: "part", Confidence: .8, X: 150, Y: 20, W: 90, H: 90},
		}}, nil
	}
	return offload.Answer{Label: "crack", Confidence: .75, Model: "surface-large/1"}, nil
}

// From a frame on the bus through a cascade, each stage a task that goes over the wire, to one
// outcome on the bus, with what can be asked about it.
func TestFrameThroughACascade(t *testing.T) {
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "parts.yaml"), []byte(`
stages:
  - {name: parts, does: detect, model: parts}
  - {name: picture, does: decode, needs: [parts]}
  - {name: cut, does: crop, needs: [picture, parts]}
  - {name: defect, does: classify, model: surface, needs: [cut]}
output: [parts, defect]
`), 0o600))
	s := startSite(t, "", "OFFLOAD_TARGETS_CLOUD_ADDRESS="+startCloudOf(t, finding{}), "OFFLOAD_CASCADES_FOLDER="+folder,
		"OFFLOAD_WRITABLE_TASKS_SURFACE_MODEL=", "OFFLOAD_WRITABLE_TASKS_SURFACE_CASCADE=parts", "OFFLOAD_WRITABLE_TASKS_SURFACE_DEADLINE=15s")
	outcomes := s.subscribe("edgex/events/device/app-offload/#")
	s.ready()
	s.until(routes.PathStatus, `"up":true`)
	s.until(routes.PathStatus, `"cascades":[{"name":"parts","file":"`+folder+`/parts.yaml","usable":true,"stages":["parts","picture","cut","defect"],"neededBy":["Tasks.surface"],`)

	picture, _ := conveyor.New(1, 320, 240).Next()
	var jpg bytes.Buffer
	require.NoError(t, jpeg.Encode(&jpg, picture, nil))
	event := frame("1", "crack")
	event.Readings[0].BinaryValue = jpg.Bytes()
	s.send(event)
	got := receive(t, outcomes)
	require.NoError(t, got.err)
	values := map[string]string{}
	for _, r := range got.event.Readings {
		values[r.ResourceName] = r.Value
	}
	require.Equal(t, []string{"crack", "cloud", "", "true"}, []string{values["Label"], values["Route"], values["Reason"], values["DeadlineMet"]})
	require.Equal(t, dtos.Tags{"seq": "1", "truth": "crack", "correct": "true"}, got.event.Tags)
	var objects []offload.Object
	require.NoError(t, json.Unmarshal([]byte(values["Objects"]), &objects))
	require.Len(t, objects, 2)
	require.Equal(t, []offload.Class{{Stage: "defect", Label: "crack", Confidence: .75, Model: "surface-large/1"}}, objects[1].Classes)
	var stages []offload.StageView
	require.NoError(t, json.Unmarshal([]byte(values["Stages"]), &stages))
	require.Equal(t, map[string]int{"cloud": 2}, stages[3].Routes)

	told := s.get("/api/v3/offload/decisions/" + values["TaskId"])
	require.Contains(t, told, "defect (classify with surface) took ")
	require.Contains(t, s.get("/api/v3/offload/decisions/"+values["TaskId"]+"%2Fdefect%2F2"), `"source":"camera-1/Frame/defect/2"`)
	require.Contains(t, s.get(routes.PathMetrics), `offload_cascade_pictures_total{cascade="parts",reason="",result="complete"} 1`)
	require.NoError(t, s.stop())
	require.NotContains(t, s.log.String(), "level=ERROR")
}
