// SPDX-License-Identifier: Apache-2.0

package config

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"
)

// texts is a tree as the provider keeps it: each value a text.
func texts(t *testing.T, w Writable) Watched {
	asJSON, err := json.Marshal(w)
	require.NoError(t, err)
	var tree map[string]any
	require.NoError(t, json.Unmarshal(asJSON, &tree))
	var walk func(map[string]any)
	walk = func(branch map[string]any) {
		for key, value := range branch {
			if sub, ok := value.(map[string]any); ok {
				walk(sub)
				continue
			}
			branch[key] = fmt.Sprint(value)
		}
	}
	walk(tree)
	return tree
}

func TestWatchedIsWhatWasPushed(t *testing.T) {
	shipped := readShipped(t).Offload.Writable
	changed, err := texts(t, shipped).Writable()
	require.NoError(t, err)
	require.Equal(t, shipped, changed)

	missing, err := Watched{"Policy": Default().Writable.Policy}.Writable()
	require.NoError(t, err)
	require.Equal(t, Default().Writable, missing)

	_, err = Watched{}.Writable()
	require.EqualError(t, err, "Offload.Writable without keys: allowed is a section with its Tasks, as a start pushes it")
}

func TestWatchedTakesWhatTheSDKTakes(t *testing.T) {
	changed, err := Watched{
		"policy": "cost", "Hedge": "0", "QueueLimit": "0x10", "JitterFactor": "", "Later": map[string]any{"x": "1"},
		"Tuning": map[string]any{"": "", "promise": ".5"},
		"Tasks":  map[string]any{"own": map[string]any{"": "", "Resource": "Level", "Private": "true"}},
	}.Writable()
	require.NoError(t, err)
	want := Default().Writable
	want.Policy, want.Hedge, want.QueueLimit, want.JitterFactor, want.Tuning.Promise = "cost", false, 16, 0, .5
	want.Tasks = map[string]Task{"own": {Resource: "Level", Private: true}}
	require.Equal(t, want, changed)
}

// All that is wrong is named, as the key is written.
func TestWatchedNamesWhatCannotBeRead(t *testing.T) {
	_, err := Watched{
		"Hedge": "maybe", "queuelimit": "1.5", "Policy": map[string]any{"x": "y"}, "Trial": "cost", "Weights": "",
		"Tuning": map[string]any{"Stale": "x"},
		"Tasks":  map[string]any{"": "", "own": "Level", "face": map[string]any{"Private": "yes"}},
	}.Writable()
	for _, each := range []string{
		`Offload.Writable.Hedge "maybe": allowed is true or false`,
		`Offload.Writable.queuelimit "1.5": allowed is a whole number`,
		`Offload.Writable.Policy with keys below it: allowed is a value`,
		`Offload.Writable.Trial "cost": allowed is keys below it, and no value`,
		`Offload.Writable.Weights "": allowed is keys below it, and no value`,
		`Offload.Writable.Tuning.Stale "x": allowed is a number`,
		`Offload.Writable.Tasks/ "": allowed is no key for the folder itself`,
		`Offload.Writable.Tasks.own "Level": allowed is keys below it, and no value`,
		`Offload.Writable.Tasks.face.Private "yes": allowed is true or false`,
	} {
		require.ErrorContains(t, err, each)
	}
}

// A kind of field that Watched cannot fill would keep its default for ever.
func TestWatchedFillsEachField(t *testing.T) {
	var walk func(reflect.Type)
	walk = func(of reflect.Type) {
		switch of.Kind() {
		case reflect.Struct:
			for i := range of.NumField() {
				walk(of.Field(i).Type)
			}
		case reflect.Map:
			walk(of.Elem())
		default:
			require.Contains(t, []reflect.Kind{reflect.String, reflect.Bool, reflect.Int, reflect.Float64}, of.Kind(), of)
		}
	}
	walk(reflect.TypeFor[Writable]())
}
