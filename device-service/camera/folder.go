// SPDX-License-Identifier: Apache-2.0

package camera

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"edgex-offload/device-service/source"
)

// maxFiles bounds how many names of a folder are held.
const maxFiles = 100_000

// folder plays the JPEG files of a folder in the order of their names, again and again.
// It looks into the folder anew at each turn, so that files may come and go.
type folder struct {
	path   string
	limits Limits
}

// Run implements source.Source. It fails when a whole turn has no frame.
func (f *folder) Run(ctx context.Context, feed *source.Feed) error {
	for {
		names, err := f.list()
		if err != nil {
			return err
		}
		played := false
		for _, name := range names {
			frame, rejection := f.read(name)
			if rejection != nil {
				feed.Skip(rejection)
				continue
			}
			if err := feed.Wait(ctx); err != nil {
				return err
			}
			feed.Emit(source.Sample{Value: frame})
			played = true
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if !played {
			return fmt.Errorf("%s: %d files end in .jpg or .jpeg, and none can be played", f.path, len(names))
		}
	}
}

// list names the files that could be frames, sorted.
func (f *folder) list() ([]string, error) {
	dir, err := os.Open(f.path)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(maxFiles + 1)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if len(names) > maxFiles {
		return nil, fmt.Errorf("%s: more than %d files", f.path, maxFiles)
	}
	names = slices.DeleteFunc(names, func(name string) bool {
		ext := strings.ToLower(filepath.Ext(name))
		return ext != ".jpg" && ext != ".jpeg"
	})
	slices.Sort(names)
	return names, nil
}

func (f *folder) read(name string) ([]byte, *source.Rejection) {
	path := filepath.Join(f.path, name)
	// Asked before opening: to open a named pipe would wait for its writer.
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, source.Reject(source.Unreadable, "%v", err)
	case !info.Mode().IsRegular():
		return nil, source.Reject(source.Unreadable, "%s is no file", path)
	case info.Size() > int64(f.limits.Bytes):
		return nil, named(name, f.limits.tooLarge(info.Size()))
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, source.Reject(source.Unreadable, "%v", err)
	}
	defer file.Close()
	frame, err := io.ReadAll(io.LimitReader(file, int64(f.limits.Bytes)+1))
	if err != nil {
		return nil, source.Reject(source.Unreadable, "%v", err)
	}
	return frame, named(name, f.limits.Check(frame))
}

// named puts the file's name in front of a rejection, if it is one.
func named(name string, r *source.Rejection) *source.Rejection {
	if r != nil {
		r.Detail = name + ": " + r.Detail
	}
	return r
}
