// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"reflect"
	"strings"
)

// replacedTag marks a field of Offload that nobody reads any more. Its value names the
// keys to use. The field stays so that an old value is seen: a configuration provider
// keeps what was pushed to it once.
const replacedTag = "replaced"

func replacedBy(keys string) string {
	return fmt.Sprintf("no longer read: use %s.%s", Section, strings.ReplaceAll(keys, " and ", " and "+Section+"."))
}

// Replaced says of each key of an earlier version that has a value what took its place.
// In a file such a key is an error; one in a configuration provider was put there by an
// earlier version of this service, and no reason not to start.
//
// lookup is os.LookupEnv: variables are told too.
func (o Offload) Replaced(lookup func(string) (string, bool)) (told []string) {
	section := reflect.ValueOf(o)
	for i := range section.NumField() {
		field := section.Type().Field(i)
		by := field.Tag.Get(replacedTag)
		if by == "" {
			continue
		}
		if value := section.Field(i).String(); value != "" {
			told = append(told, fmt.Sprintf("%s.%s %.40q is %s", Section, field.Name, value, replacedBy(by)))
		}
		variable := strings.ToUpper(Section + "_" + field.Name)
		if value, ok := lookup(variable); ok {
			told = append(told, fmt.Sprintf("%s=%.40q is %s", variable, value, replacedBy(by)))
		}
	}
	return told
}
