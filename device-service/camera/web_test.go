// SPDX-License-Identifier: Apache-2.0

package camera

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"edgex-offload/device-service/source"
)

// serve is a camera that answers so.
func serve(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

const boundary = "frame"

// stream begins an MJPEG answer and returns how to send one frame.
func stream(w http.ResponseWriter) func(header string, frame []byte) {
	w.Header().Set("Content-Type", "multipart/x-mixed-replace;boundary="+boundary)
	w.WriteHeader(http.StatusOK)
	return func(header string, frame []byte) {
		fmt.Fprintf(w, "--%s\r\nContent-Type: image/jpeg\r\n%s\r\n", boundary, header)
		_, _ = w.Write(frame)
		fmt.Fprint(w, "\r\n")
		w.(http.Flusher).Flush()
	}
}

func length(frame []byte) string { return fmt.Sprintf("Content-Length: %d\r\n", len(frame)) }

func TestAnMJPEGFrameComesBeforeTheNextBegins(t *testing.T) {
	for name, header := range map[string]func([]byte) string{
		"by length": length, "by structure": func([]byte) string { return "" },
	} {
		t.Run(name, func(t *testing.T) {
			frames := [][]byte{photo(t, 40, 30), photo(t, 64, 64), photo(t, 200, 120)}
			next := make(chan []byte)
			url := serve(t, func(w http.ResponseWriter, r *http.Request) {
				send := stream(w)
				for {
					select {
					case frame := <-next:
						send(header(frame), frame)
					case <-r.Context().Done():
						return
					}
				}
			})
			v := watch(t, map[string]any{"Kind": "mjpeg", "URL": url})
			for _, frame := range frames {
				next <- frame // and nothing after it until it was seen
				assert.Equal(t, frame, v.frame())
			}
		})
	}
}

func TestACameraThatDiesIsFoundAgain(t *testing.T) {
	good := photo(t, 40, 30)
	var connections atomic.Int64
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		switch connections.Add(1) % 4 {
		case 1: // dies in a frame
			stream(w)(length(good), good[:len(good)/2])
		case 2:
			http.Error(w, "busy", http.StatusServiceUnavailable)
		case 3: // dies without a word
			panic(http.ErrAbortHandler)
		case 0:
			stream(w)(length(good), good)
		}
	})
	v := watch(t, map[string]any{"Kind": "mjpeg", "URL": url})
	for range 3 {
		assert.Equal(t, good, v.frame())
	}
	assert.Contains(t, v.down(), "")
}

func TestACameraThatAnswersAndStaysSilentIsDown(t *testing.T) {
	release := make(chan struct{})
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		stream(w)
		w.(http.Flusher).Flush()
		select {
		case <-r.Context().Done():
		case <-release:
		}
	})
	defer close(release)
	v := watch(t, map[string]any{"Kind": "mjpeg", "URL": url, "Timeout": "100ms"})
	assert.Equal(t, "nothing came for 100ms", v.down())
}

func TestWhatACameraMayDoWrong(t *testing.T) {
	good := photo(t, 40, 30)
	for name, test := range map[string]struct {
		handler http.HandlerFunc
		why     string
	}{
		"a page":    {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>login</html>") }, "allowed is multipart/x-mixed-replace"},
		"not there": {http.NotFound, "404"},
		"no frames": {func(w http.ResponseWriter, _ *http.Request) { stream(w) }, "ended the stream"},
		"a riddle": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("WWW-Authenticate", "Negotiate")
			w.WriteHeader(http.StatusUnauthorized)
		}, "asks for credentials"},
		"elsewhere": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://elsewhere.invalid/", http.StatusFound)
		}, `redirect to host "elsewhere.invalid"`},
		"in circles": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) }, "more than 3 redirects"},
		"only text": {func(w http.ResponseWriter, _ *http.Request) {
			send := stream(w)
			for range 3 {
				send(length(make([]byte, 500)), make([]byte, 500))
			}
		}, "allowed is a JPEG"},
		"giants": {func(w http.ResponseWriter, _ *http.Request) {
			send := stream(w)
			for range 3 {
				send("Content-Length: 200000\r\n", make([]byte, 200_000))
			}
		}, "too-large: 200000 bytes: allowed are 100000 (MaxFrameBytes)"},
		"endless header": {func(w http.ResponseWriter, _ *http.Request) {
			stream(w)(strings.Repeat("X-Filler: "+strings.Repeat("x", 90)+"\r\n", 1000), good)
		}, "header of a frame: more than"},
		"endless junk": {func(w http.ResponseWriter, r *http.Request) {
			stream(w)
			for r.Context().Err() == nil {
				_, _ = w.Write(make([]byte, 10_000))
			}
		}, "no boundary"},
	} {
		t.Run(name, func(t *testing.T) {
			v := watch(t, map[string]any{"Kind": "mjpeg", "URL": serve(t, test.handler)})
			assert.Contains(t, v.down(), test.why)
			assert.Zero(t, v.Status().Captured)
		})
	}
}

func TestAfterABadFrameTheStreamGoesOn(t *testing.T) {
	good := photo(t, 40, 30)
	bad := append([]byte{0xFF, 0xD8, 0xFF, 0xE0, 0, 1}, make([]byte, 3000)...)
	for name, send := range map[string]func(send func(string, []byte)){
		"too large":        func(send func(string, []byte)) { send("Content-Length: 150000\r\n", make([]byte, 150_000)) },
		"broken":           func(send func(string, []byte)) { send("", bad) },
		"broken by length": func(send func(string, []byte)) { send(length(bad), bad) },
		"length too small": func(send func(string, []byte)) { send("Content-Length: 300\r\n", good) },
	} {
		t.Run(name, func(t *testing.T) {
			url := serve(t, func(w http.ResponseWriter, r *http.Request) {
				begin := stream(w)
				send(begin)
				begin(length(good), good)
				<-r.Context().Done()
			})
			v := watch(t, map[string]any{"Kind": "mjpeg", "URL": url})
			assert.Equal(t, good, v.frame())
			assert.EqualValues(t, 1, v.Status().TotalDropped())
		})
	}
}

func TestSnapshotsAreFetchedAtTheRate(t *testing.T) {
	good := photo(t, 40, 30)
	var asked atomic.Int64
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		switch asked.Add(1) {
		case 2:
			fmt.Fprint(w, "<html>busy</html>")
		case 3:
			w.Header().Set("Content-Length", "200000")
			_, _ = w.Write(make([]byte, 200_000))
		case 4:
			http.Error(w, "busy", http.StatusInternalServerError)
		default:
			_, _ = w.Write(good)
		}
	})
	v := watch(t, map[string]any{"Kind": "snapshot", "URL": url, "FrameRate": 100})
	for range 3 {
		assert.Equal(t, good, v.frame())
	}
	dropped := v.Status().Dropped
	assert.EqualValues(t, 1, dropped[source.NotJPEG])
	assert.EqualValues(t, 1, dropped[source.TooLarge])
}

func TestASnapshotThatHangsIsGivenUp(t *testing.T) {
	release := make(chan struct{})
	url := serve(t, func(http.ResponseWriter, *http.Request) { <-release })
	defer close(release)
	v := watch(t, map[string]any{"Kind": "snapshot", "URL": url, "FrameRate": 100, "Timeout": "100ms"})
	assert.NotEmpty(t, v.down())
}

func TestCredentials(t *testing.T) {
	good := photo(t, 40, 30)
	sum := func(parts ...string) string {
		h := md5.Sum([]byte(strings.Join(parts, ":")))
		return hex.EncodeToString(h[:])
	}
	handlers := map[string]http.HandlerFunc{
		"basic": func(w http.ResponseWriter, r *http.Request) {
			if user, password, _ := r.BasicAuth(); user != "root" || password != "pass" {
				w.Header().Set("WWW-Authenticate", `Basic realm="cam"`)
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			_, _ = w.Write(good)
		},
		"digest": func(w http.ResponseWriter, r *http.Request) {
			p := parameters(strings.TrimPrefix(r.Header.Get("Authorization"), "Digest "))
			want := sum(sum("root", "the cam", "pass"), "n0", p["nc"], p["cnonce"], "auth", sum("GET", "/pic?a=1"))
			if p["response"] != want || p["uri"] != "/pic?a=1" || p["opaque"] != "o" {
				w.Header().Add("WWW-Authenticate", `Basic realm="cam"`)
				w.Header().Add("WWW-Authenticate", `Digest realm="the cam", nonce="n0", opaque="o", qop="auth,auth-int"`)
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			_, _ = w.Write(good)
		},
	}
	for name, handler := range handlers {
		for given, properties := range map[string]map[string]any{
			"by the device": {"User": "root", "Password": "pass"}, "by a secret": {"SecretName": "cam"},
		} {
			t.Run(name+" "+given, func(t *testing.T) {
				properties["Kind"], properties["URL"], properties["FrameRate"] = "snapshot", serve(t, handler)+"/pic?a=1", 100
				v := watch(t, properties)
				for range 3 {
					assert.Equal(t, good, v.frame())
				}
			})
		}
		t.Run(name+" wrong", func(t *testing.T) {
			v := watch(t, map[string]any{"Kind": "snapshot", "URL": serve(t, handler) + "/pic?a=1", "User": "root", "Password": "geheim"})
			why := v.down()
			assert.Equal(t, `the camera refuses user "root" or the password`, why)
		})
	}
}

// The example of RFC 2617, 3.5.
func TestDigestAfterTheRFC(t *testing.T) {
	d, ok := parseDigest(`realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"`)
	require.True(t, ok)
	got := d.hash(d.hash("Mufasa", d.realm, "Circle Of Life"), d.nonce, "00000001", "0a4f113b", "auth", d.hash("GET", "/dir/index.html"))
	assert.Equal(t, "6629fae49393a05397450978507c4ef1", got)
	assert.Equal(t, "5ccc069c403ebaf9f0171e9517f40e41", d.opaque)
}

func TestWhatIsWrongWithACamera(t *testing.T) {
	for _, test := range []struct {
		properties map[string]any
		want       string
	}{
		{nil, `camera.Kind: "": allowed are conveyor, folder, mjpeg, snapshot`},
		{map[string]any{"Kind": "rtsp"}, `camera.Kind: "rtsp"`},
		{map[string]any{"Kind": "folder"}, "camera.Path: is missing"},
		{map[string]any{"Kind": "folder", "Path": "/x", "FrameRate": 0}, "camera.FrameRate: rate 0: allowed are 0.001 to 240"},
		{map[string]any{"Kind": "mjpeg", "URL": "cam.local"}, `camera.URL: "cam.local": allowed is http:// or https://`},
		{map[string]any{"Kind": "mjpeg", "URL": "http://a:b@cam"}, "give User and Password, or SecretName, instead"},
		{map[string]any{"Kind": "snapshot", "URL": "http://cam", "Password": "x"}, "camera.User: is missing beside Password"},
		{map[string]any{"Kind": "snapshot", "URL": "http://cam", "User": "x", "SecretName": "y"}, `camera.SecretName: "y" beside User or Password`},
		{map[string]any{"Kind": "snapshot", "URL": "http://cam", "Timeout": "10"}, `camera.Timeout: "10"`},
		{map[string]any{"Kind": "conveyor", "Width": 1}, `camera.Width: "1": allowed is a whole number from 32 to 4096`},
		{map[string]any{"Kind": "conveyor", "Path": "/x"}, "camera.Path is not known"},
	} {
		_, err := New(test.properties, Environment{Limits: limits})
		assert.ErrorContains(t, err, test.want)
	}
}
