// SPDX-License-Identifier: Apache-2.0

// Package jpegscale decodes a JPEG at 1/1, 1/2, 1/4 or 1/8 of its size, straight from its
// DCT coefficients: a sample of the result is the mean of the 1, 4, 16 or 64 samples that
// a full decode has in its place, at a fraction of the work. Each plane, of luma and of
// chroma, gets the smallest scale that still has the size that the caller asks for.
//
// It takes what cameras send: baseline and extended sequential Huffman coding of 8 bits,
// grey or YCbCr in one scan, any of the usual subsamplings, with or without restart
// markers. What else there is (progressive, CMYK, RGB, several scans) is ErrKind and a
// matter for image/jpeg. So is a broken picture: it is an error here, at the first block
// that does not fit, and nothing is guessed.
//
// It is code of our own because image/jpeg has no scale, and a C library that has one would
// have to be installed, and trusted with bytes from outside; it would be about as quick.
//
// Invariants:
//   - nothing is allocated by what a header says before the caller has seen the size and
//     has asked for the pixels, and then only if the payload has the bits for that many;
//   - work is at most proportional to the payload's size and the number of its blocks.
//
// A Decoder is for one goroutine at a time and is kept for its buffers.
//
// The format is that of ITU-T T.81, whose sections are named where they are followed.
package jpegscale
