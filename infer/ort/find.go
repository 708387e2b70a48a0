// SPDX-License-Identifier: Apache-2.0

package ort

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// LibraryEnv names the environment variable with the library's path.
const LibraryEnv = "ONNXRUNTIME_LIB"

const fileName = "libonnxruntime.so"

// Find returns the path of ONNX Runtime's library. A configured path or, if that is
// empty, LibraryEnv is final: it is there or it is an error. Else it is looked for as
// build/onnxruntime/libonnxruntime.so and libonnxruntime.so beside the executable and
// beside the working directory, in each and in up to four folders above, and then where
// the system keeps libraries.
func Find(configured string) (string, error) {
	for _, named := range []struct{ path, by string }{{configured, "the configuration"}, {os.Getenv(LibraryEnv), LibraryEnv}} {
		if named.path == "" {
			continue
		}
		if isFile(named.path) {
			return filepath.Abs(named.path)
		}
		return "", fmt.Errorf("ONNX Runtime: %s names %q, which is not a file: correct the path, or leave it empty to have it looked for", named.by, named.path)
	}
	dirs := searchDirs()
	for _, dir := range dirs {
		for _, name := range []string{fileName, fileName + ".1"} {
			if path := filepath.Join(dir, name); isFile(path) {
				return path, nil
			}
		}
	}
	return "", fmt.Errorf("ONNX Runtime: no %s in %s: run scripts/get-onnxruntime.sh, or set %s to its path", fileName, strings.Join(dirs, ", "), LibraryEnv)
}

func searchDirs() []string {
	var dirs []string
	if exe, err := os.Executable(); err == nil {
		dirs = appendAbove(dirs, filepath.Dir(exe))
	}
	if wd, err := os.Getwd(); err == nil {
		dirs = appendAbove(dirs, wd)
	}
	dirs = append(dirs, filepath.SplitList(os.Getenv("LD_LIBRARY_PATH"))...)
	triple := map[string]string{"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu"}[runtime.GOARCH]
	return append(dirs, "/usr/local/lib", "/usr/lib/"+triple, "/usr/lib", "/usr/lib64")
}

// appendAbove adds the places in a folder and in those above it that are the project's
// own: build/onnxruntime each, and the first folder itself.
func appendAbove(dirs []string, dir string) []string {
	const levels = 5
	places := []string{dir}
	for range levels {
		places = append(places, filepath.Join(dir, "build", "onnxruntime"))
		dir = filepath.Dir(dir)
	}
	for _, place := range places { // each once, though folders and those above them may be the same
		if !slices.Contains(dirs, place) {
			dirs = append(dirs, place)
		}
	}
	return dirs
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
