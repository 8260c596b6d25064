// Command gohelm says what Helm's template engine makes of charts in memory, and Go's text/template of single templates.
//
// Standard input holds requests, each a JSON object behind its length (four bytes, big endian). To each, standard output
// gets an answer: a byte (0 for a result, 1 for an error, 2 for a panic), a length and that many bytes.
//
// A request that takes too long or too much memory ends the process: a template can ask for as much as it likes.
package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"text/template"
	"time"

	"github.com/Masterminds/sprig/v3"
	slim "github.com/go-task/slim-sprig/v3"
	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/loader/archive"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/engine"
	"helm.sh/helm/v4/pkg/strvals"
)

// request is a chart with values, or, without files, one template.
type request struct {
	// Files of the chart by path.
	Files map[string]string `json:"files"`
	// Values is the text of a values file, which is all that templates see: the chart's own are not added.
	Values string `json:"values"`
	// Set are lines as of --set, which change the values.
	Set       []string `json:"set"`
	Name      string   `json:"name"`
	Namespace string   `json:"namespace"`
	Upgrade   bool     `json:"upgrade"`

	Template string `json:"template"`
	// Data is what the template gets.
	Data json.RawMessage `json:"data"`
	// Functions besides Go's own: sprig, slim or none.
	Functions string `json:"functions"`
	// MissingKey is the option of that name.
	MissingKey string `json:"missingKey"`
	// Numbers says what JSON's numbers become: int, int64, number or float.
	Numbers string `json:"numbers"`
}

// longest is how long a request may take, largest how much memory the process may hold.
const (
	longest = 5 * time.Second
	largest = 1 << 30
)

func main() {
	var begun atomic.Int64
	go watch(&begun)
	in := bufio.NewReader(os.Stdin)
	out := bufio.NewWriter(os.Stdout)
	for {
		body, err := next(in)
		if errors.Is(err, io.EOF) {
			return
		}
		if err == nil {
			begun.Store(time.Now().UnixNano())
			status, text := run(body)
			begun.Store(0)
			err = answer(out, status, text)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

func watch(begun *atomic.Int64) {
	for range time.Tick(100 * time.Millisecond) {
		since := begun.Load()
		if since == 0 {
			continue
		}
		var memory runtime.MemStats
		runtime.ReadMemStats(&memory)
		if memory.HeapAlloc > largest || time.Since(time.Unix(0, since)) > longest {
			os.Exit(3)
		}
	}
}

func next(in io.Reader) ([]byte, error) {
	var length uint32
	if err := binary.Read(in, binary.BigEndian, &length); err != nil {
		return nil, err
	}
	body := make([]byte, length)
	_, err := io.ReadFull(in, body)
	return body, err
}

func answer(out *bufio.Writer, status byte, body []byte) error {
	if err := out.WriteByte(status); err != nil {
		return err
	}
	if err := binary.Write(out, binary.BigEndian, uint32(len(body))); err != nil {
		return err
	}
	if _, err := out.Write(body); err != nil {
		return err
	}
	return out.Flush()
}

func run(body []byte) (status byte, text []byte) {
	defer func() {
		if problem := recover(); problem != nil {
			status, text = 2, []byte(fmt.Sprint(problem))
		}
	}()
	var asked request
	if err := json.Unmarshal(body, &asked); err != nil {
		return 2, []byte(err.Error())
	}
	execute := one
	if asked.Files != nil {
		execute = chart
	}
	result, err := execute(&asked)
	if err != nil {
		return 1, []byte(err.Error())
	}
	return 0, result
}

// chart renders all templates, as `== path`, a line break, the text and another one each.
func chart(asked *request) ([]byte, error) {
	paths := make([]string, 0, len(asked.Files))
	for path := range asked.Files {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	var files []*archive.BufferedFile
	for _, path := range paths {
		files = append(files, &archive.BufferedFile{Name: path, Data: []byte(asked.Files[path])})
	}
	loaded, err := loader.LoadFiles(files)
	if err != nil {
		return nil, fmt.Errorf("chart: %w", err)
	}
	values, err := loader.LoadValues(strings.NewReader(asked.Values))
	if err != nil {
		return nil, fmt.Errorf("values: %w", err)
	}
	for _, line := range asked.Set {
		if err := strvals.ParseInto(line, values); err != nil {
			return nil, fmt.Errorf("set: %w", err)
		}
	}
	capabilities := common.DefaultCapabilities.Copy()
	// Which Go this program is made with is no matter of Helm's.
	capabilities.HelmVersion.GoVersion = "go1.26"
	rendered, err := engine.Render(loaded, common.Values{
		"Chart":        loaded.Metadata,
		"Capabilities": capabilities,
		"Release": map[string]any{
			"Name":      asked.Name,
			"Namespace": asked.Namespace,
			"IsUpgrade": asked.Upgrade,
			"IsInstall": !asked.Upgrade,
			"Revision":  1,
			"Service":   "Helm",
		},
		"Values": common.Values(values),
	})
	if err != nil {
		return nil, err
	}
	paths = paths[:0]
	for path := range rendered {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	var out bytes.Buffer
	for _, path := range paths {
		fmt.Fprintf(&out, "== %s\n%s\n", path, rendered[path])
	}
	return out.Bytes(), nil
}

// one executes a template of text/template.
func one(asked *request) ([]byte, error) {
	decoder := json.NewDecoder(bytes.NewReader(asked.Data))
	decoder.UseNumber()
	var data any
	if err := decoder.Decode(&data); err != nil {
		return nil, err
	}
	functions := template.FuncMap{}
	switch asked.Functions {
	case "sprig":
		functions = sprig.TxtFuncMap()
	case "slim":
		functions = slim.HermeticTxtFuncMap()
	}
	parsed, err := template.New("x").Funcs(functions).Option("missingkey=" + asked.MissingKey).Parse(asked.Template)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := parsed.Execute(&out, numbers(data, asked.Numbers)); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func numbers(value any, kind string) any {
	switch value := value.(type) {
	case map[string]any:
		for key, inner := range value {
			value[key] = numbers(inner, kind)
		}
	case []any:
		for at, inner := range value {
			value[at] = numbers(inner, kind)
		}
	case json.Number:
		whole, err := value.Int64()
		switch {
		case kind == "number":
			return value
		case kind == "int" && err == nil:
			return int(whole)
		case kind == "int64" && err == nil:
			return whole
		}
		float, _ := value.Float64()
		return float
	}
	return value
}
