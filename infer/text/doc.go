// SPDX-License-Identifier: Apache-2.0

// Package text turns text into the ids of BERT's word pieces, as its uncased and cased
// models were trained on: https://github.com/google-research/bert, tokenization.py, and
// https://arxiv.org/abs/1810.04805. It is pure: a vocabulary and text in, numbers out.
//
// Invariants:
//   - the work on a text ends as soon as the tensor is full, however long the text is;
//   - every id is one of the vocabulary's, and below 2^24, so that a float32 holds it;
//   - the names of special tokens in a text ("[SEP]") are text like any other.
//
// Everything here is safe for concurrent use.
package text
