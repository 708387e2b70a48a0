// SPDX-License-Identifier: Apache-2.0

package routes

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/edgexfoundry/go-mod-core-contracts/v3/common"
	"github.com/labstack/echo/v4"
)

// number reads a parameter of the query; without stands for one that is left out.
func number(c echo.Context, key string, without, low, high uint64) (uint64, error) {
	text := c.QueryParam(key)
	if text == "" {
		return without, nil
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n < low || n > high {
		return 0, fmt.Errorf("%s %.40q: allowed is %d to %d", key, text, low, high)
	}
	return n, nil
}

func truth(c echo.Context, key string, without bool) (bool, error) {
	switch text := c.QueryParam(key); text {
	case "":
		return without, nil
	case "true", "false":
		return text == "true", nil
	default:
		return false, fmt.Errorf("%s %.40q: allowed are true, false", key, text)
	}
}

// refuse answers a request that is wrong.
func refuse(c echo.Context, err error) error { return fail(c, http.StatusBadRequest, err) }

// fail answers as EdgeX does.
func fail(c echo.Context, code int, err error) error {
	return c.JSON(code, struct {
		head
		Message string `json:"message"`
	}{head{common.ApiVersion, code}, err.Error()})
}
