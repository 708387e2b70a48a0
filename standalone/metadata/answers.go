// SPDX-License-Identifier: Apache-2.0

package metadata

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/edgexfoundry/go-mod-core-contracts/v3/common"
	dtocommon "github.com/edgexfoundry/go-mod-core-contracts/v3/dtos/common"
	"github.com/edgexfoundry/go-mod-core-contracts/v3/errors"
)

// maxBodyBytes bounds a request: far more than a profile with hundreds of resources.
const maxBodyBytes = 8 << 20

// result is what became of one object of a batch.
type result struct {
	requestID, id string
	err           errors.EdgeX
}

// batch decodes a list of requests, whose decoding validates them, and answers 207 with
// one status for each, as core-metadata does; done is the status of success.
func batch[R any](w http.ResponseWriter, r *http.Request, done int, each func(R) result) {
	var requests []R
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBodyBytes)).Decode(&requests); err != nil {
		refuse(w, errors.NewCommonEdgeX(errors.KindContractInvalid, "request body", err))
		return
	}
	answers := make([]any, 0, len(requests))
	for _, request := range requests {
		switch res := each(request); {
		case res.err != nil:
			answers = append(answers, dtocommon.NewBaseResponse(res.requestID, res.err.Error(), res.err.Code()))
		case res.id != "":
			answers = append(answers, dtocommon.NewBaseWithIdResponse(res.requestID, "", done, res.id))
		default:
			answers = append(answers, dtocommon.NewBaseResponse(res.requestID, "", done))
		}
	}
	respond(w, http.StatusMultiStatus, answers)
}

// page cuts a list by the request's offset and limit; a limit of -1 is all.
func page[T any](r *http.Request, items []T) (cut []T, total uint32) {
	number := func(key string, otherwise int) int {
		if n, err := strconv.Atoi(r.URL.Query().Get(key)); err == nil {
			return n
		}
		return otherwise
	}
	total = uint32(len(items))
	items = items[min(max(number(common.Offset, common.DefaultOffset), 0), len(items)):]
	if limit := number(common.Limit, common.DefaultLimit); limit >= 0 {
		items = items[:min(limit, len(items))]
	}
	return items, total
}

func refuse(w http.ResponseWriter, err errors.EdgeX) {
	respond(w, err.Code(), dtocommon.NewBaseResponse("", err.Error(), err.Code()))
}

func respond(w http.ResponseWriter, status int, body any) {
	w.Header().Set(common.ContentType, common.ContentTypeJSON)
	w.WriteHeader(status)
	// The client that went away while it was answered is the only error here.
	_ = json.NewEncoder(w).Encode(body)
}
