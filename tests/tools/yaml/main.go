// Command goyaml says what the Go libraries of Kubernetes make of YAML texts.
//
// Standard input holds texts, each behind its length (four bytes, big endian). Of each, standard output gets five
// answers: a byte (0 for a result, 1 for an error, 2 for a panic), a length and that many bytes. In this order:
//
//  1. kyaml's Parse, printed by String
//  2. kyaml's Parse, as JSON by MarshalJSON
//  3. sigs.k8s.io/yaml's YAMLToJSON
//  4. its YAMLToJSONStrict
//  5. the result of the third by JSONToYAML
//
// All of these look at the first document only; that the rest of the text can be read is checked besides.
package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	yaml2 "go.yaml.in/yaml/v2"
	yaml3 "go.yaml.in/yaml/v3"
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"
	"sigs.k8s.io/yaml"
)

func main() {
	in := bufio.NewReader(os.Stdin)
	out := bufio.NewWriter(os.Stdout)
	for {
		text, err := next(in)
		if errors.Is(err, io.EOF) {
			return
		}
		if err == nil {
			err = answer(out, text)
		}
		if err == nil {
			err = out.Flush()
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

func next(in io.Reader) ([]byte, error) {
	var length uint32
	if err := binary.Read(in, binary.BigEndian, &length); err != nil {
		return nil, err
	}
	text := make([]byte, length)
	_, err := io.ReadFull(in, text)
	return text, err
}

func answer(out io.Writer, text []byte) error {
	for _, ask := range []func() ([]byte, error){
		func() ([]byte, error) {
			if err := all(yaml3.NewDecoder(bytes.NewReader(text))); err != nil {
				return nil, err
			}
			node, err := kyaml.Parse(string(text))
			if err != nil {
				return nil, err
			}
			printed, err := node.String()
			return []byte(printed), err
		},
		func() ([]byte, error) {
			if err := all(yaml3.NewDecoder(bytes.NewReader(text))); err != nil {
				return nil, err
			}
			node, err := kyaml.Parse(string(text))
			if err != nil {
				return nil, err
			}
			return node.MarshalJSON()
		},
		func() ([]byte, error) { return first(text, yaml.YAMLToJSON) },
		func() ([]byte, error) { return first(text, yaml.YAMLToJSONStrict) },
		func() ([]byte, error) {
			value, err := first(text, yaml.YAMLToJSON)
			if err != nil {
				return nil, err
			}
			return yaml.JSONToYAML(value)
		},
	} {
		status, body := run(ask)
		if err := binary.Write(out, binary.BigEndian, status); err != nil {
			return err
		}
		if err := binary.Write(out, binary.BigEndian, uint32(len(body))); err != nil {
			return err
		}
		if _, err := out.Write(body); err != nil {
			return err
		}
	}
	return nil
}

func first(text []byte, convert func([]byte) ([]byte, error)) ([]byte, error) {
	if err := all(yaml2.NewDecoder(bytes.NewReader(text))); err != nil {
		return nil, err
	}
	return convert(text)
}

type decoder interface{ Decode(v any) error }

// ignored takes any document without making anything of it.
type ignored struct{}

func (ignored) UnmarshalYAML(*yaml3.Node) error { return nil }

// all reads a text to its end.
func all(documents decoder) error {
	for {
		var err error
		if _, old := documents.(*yaml2.Decoder); old {
			err = documents.Decode(&struct{}{})
			var types *yaml2.TypeError
			if errors.As(err, &types) {
				err = nil
			}
		} else {
			err = documents.Decode(&ignored{})
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func run(ask func() ([]byte, error)) (status byte, body []byte) {
	defer func() {
		if problem := recover(); problem != nil {
			status, body = 2, []byte(fmt.Sprint(problem))
		}
	}()
	result, err := ask()
	if err != nil {
		return 1, []byte(err.Error())
	}
	return 0, result
}
