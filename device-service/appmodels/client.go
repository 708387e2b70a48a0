// SPDX-License-Identifier: Apache-2.0

package appmodels

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"edgex-offload/device-service/properties"
	"edgex-offload/device-service/source"
)

// Protocol is the name under which a device carries where its app-service is.
const Protocol = "models"

// maxAnswer bounds what is read of an answer: 256 models of 16 versions take 3 MB.
const maxAnswer = 8 << 20

// New reads the protocol properties of a device: URL, the app-service's base address, Rate,
// readings of the list per second (0.1), Enabled, and Timeout of one request (10s).
func New(values map[string]any) (source.Spec, *Client, error) {
	p := properties.Read(Protocol, values)
	client := &Client{
		base: p.URL("URL", "http", "https"),
		http: &http.Client{
			Timeout:       p.Duration("Timeout", 10*time.Second, 100*time.Millisecond, 5*time.Minute),
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			Transport:     &http.Transport{DisableKeepAlives: true}, // few requests, and none that lingers
		},
	}
	spec := source.Spec{
		Source:  client,
		Rate:    p.Number("Rate", .1, source.MinRate, source.MaxRate),
		Enabled: p.Bool("Enabled", true),
	}
	return spec, client, p.Err()
}

// Client asks one app-service.
type Client struct {
	base *url.URL
	http *http.Client
}

// Model is what the list says of one version.
type Model struct {
	Model   string  `json:"model"` // name/version
	Serves  string  `json:"serves,omitempty"`
	State   string  `json:"state"`
	Error   string  `json:"error,omitempty"`
	P95Ms   float64 `json:"p95Ms,omitempty"`
	Answers uint64  `json:"answers,omitempty"`
	Errors  uint64  `json:"errors,omitempty"`
}

// answer is the part of the app-service's that is read.
type answer struct {
	StatusCode int    `json:"statusCode"`
	Message    string `json:"message"`
	Models     []struct {
		Name    string  `json:"name"`
		Version string  `json:"version"`
		Serves  string  `json:"serves"`
		State   string  `json:"state"`
		Error   string  `json:"error"`
		P95Ms   float64 `json:"p95Ms"`
		Answers uint64  `json:"answers"`
		Errors  uint64  `json:"errors"`
	} `json:"models"`
}

// Run implements source.Source: it emits the list as JSON, at the rate that is set.
func (c *Client) Run(ctx context.Context, feed *source.Feed) error {
	for {
		if err := feed.Wait(ctx); err != nil {
			return err
		}
		list, err := c.List(ctx)
		if err != nil {
			return err
		}
		feed.Emit(source.Sample{Value: list})
	}
}

// List is the list of models as a JSON array of Model.
func (c *Client) List(ctx context.Context) (string, error) {
	a, err := c.ask(ctx, http.MethodGet, "", nil)
	if err != nil {
		return "", err
	}
	list := make([]Model, len(a.Models))
	for i, m := range a.Models {
		list[i] = Model{
			Model: m.Name + "/" + m.Version, Serves: m.Serves, State: m.State, Error: cut(m.Error),
			P95Ms: m.P95Ms, Answers: m.Answers, Errors: m.Errors,
		}
	}
	text, err := json.Marshal(list)
	return string(text), err
}

// Check says whether text names a model, as "name" or, where a version may be given,
// "name/version".
func Check(action, text string) error {
	_, _, err := parse(action, text)
	return err
}

func parse(action, text string) (name, version string, err error) {
	if action == Rescan {
		return "", "", nil
	}
	name, version, given := strings.Cut(text, "/")
	wrong := name == "" || name[0] == '.' || len(text) > 128 || strings.ContainsAny(version, "/") || (given && (version == "" || action != Load))
	if wrong || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		allowed := "the name of a model"
		if action == Load {
			allowed += ", or name/version"
		}
		return "", "", fmt.Errorf("%s %.40q: allowed is %s", action, text, allowed)
	}
	return name, version, nil
}

// The actions.
const (
	Load     = "load"
	Unload   = "unload"
	Rollback = "rollback"
	Rescan   = "rescan"
)

// Do has the app-service do something with a model. It returns when that is done, or goes on
// there beyond the time of a request.
func (c *Client) Do(ctx context.Context, action, text string) error {
	name, version, err := parse(action, text)
	if err != nil {
		return err
	}
	path, query := "/"+action, url.Values{}
	if name != "" {
		path = "/" + url.PathEscape(name) + path
	}
	if version != "" {
		query.Set("version", version)
	}
	_, err = c.ask(ctx, http.MethodPost, path, query)
	return err
}

func (c *Client) ask(ctx context.Context, method, path string, query url.Values) (answer, error) {
	address := c.base.JoinPath("/api/v3/offload/models").String() + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	request, err := http.NewRequestWithContext(ctx, method, address, nil)
	if err != nil {
		return answer{}, err
	}
	response, err := c.http.Do(request)
	if err != nil {
		var told *url.Error
		if errors.As(err, &told) {
			err = told.Err // the address is said below
		}
		return answer{}, fmt.Errorf("app-service at %s: %w: is it running, and is URL right?", c.base.Redacted(), err)
	}
	defer response.Body.Close()
	return c.read(response)
}

func (c *Client) read(response *http.Response) (a answer, err error) {
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	switch {
	case err != nil:
		return a, fmt.Errorf("app-service at %s: %w", c.base.Redacted(), err)
	case response.StatusCode == http.StatusUnauthorized:
		return a, fmt.Errorf("app-service at %s asks for a token, which this device does not send: use its routes through the gateway", c.base.Redacted())
	case len(body) > maxAnswer:
		return a, fmt.Errorf("app-service at %s answers with more than %d bytes", c.base.Redacted(), maxAnswer)
	}
	if err := json.Unmarshal(body, &a); err != nil {
		return a, fmt.Errorf("app-service at %s answers %s with what is no list of models (%.60q): is it app-offload?", c.base.Redacted(), response.Status, body)
	}
	if response.StatusCode != http.StatusOK && response.StatusCode != http.StatusAccepted {
		return a, fmt.Errorf("app-service: %s (%s)", cut(a.Message), response.Status)
	}
	return a, nil
}

func cut(text string) string {
	const most = 400
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}
