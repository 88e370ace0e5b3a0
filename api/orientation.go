package api

import (
	"bytes"
	"encoding/binary"
	"image"
)

// orientation is how a JPEG's camera was held, 1 to 8 (Exif 2.3, tag 274): 1 is upright, and what a file that does not say
// is taken for. It is read before the picture is made anew, which leaves it out.
func orientation(jpeg []byte) int {
	if !bytes.HasPrefix(jpeg, []byte{0xff, 0xd8}) {
		return 1
	}
	for rest := jpeg[2:]; len(rest) >= 4 && rest[0] == 0xff && rest[1] != 0xda; {
		size := int(binary.BigEndian.Uint16(rest[2:])) + 2
		if size > len(rest) || size < 4 {
			break
		}
		if exif, is := bytes.CutPrefix(rest[4:size], []byte("Exif\x00\x00")); is && rest[1] == 0xe1 {
			return exifOrientation(exif)
		}
		rest = rest[size:]
	}
	return 1
}

// exifOrientation reads the first directory of a TIFF, which is what Exif is.
func exifOrientation(tiff []byte) int {
	var order binary.ByteOrder = binary.BigEndian
	if len(tiff) < 8 {
		return 1
	}
	if tiff[0] == 'I' {
		order = binary.LittleEndian
	}
	start := uint64(order.Uint32(tiff[4:]))
	if start+2 > uint64(len(tiff)) {
		return 1
	}
	const entrySize, tag = 12, 274
	entries := tiff[start+2:]
	for range order.Uint16(tiff[start:]) {
		if len(entries) < entrySize {
			break
		}
		if value := int(order.Uint16(entries[8:])); order.Uint16(entries) == tag && value >= 1 && value <= 8 {
			return value
		}
		entries = entries[entrySize:]
	}
	return 1
}

// upright turns a picture that was taken with this orientation.
func upright(p *image.NRGBA, orientation int) *image.NRGBA {
	w, h := p.Rect.Dx(), p.Rect.Dy()
	from := map[int]func(x, y int) (int, int){ // where the upright picture's pixels are in the one that was taken
		2: func(x, y int) (int, int) { return w - 1 - x, y },
		3: func(x, y int) (int, int) { return w - 1 - x, h - 1 - y },
		4: func(x, y int) (int, int) { return x, h - 1 - y },
		5: func(x, y int) (int, int) { return y, x },
		6: func(x, y int) (int, int) { return y, h - 1 - x },
		7: func(x, y int) (int, int) { return w - 1 - y, h - 1 - x },
		8: func(x, y int) (int, int) { return w - 1 - y, x },
	}[orientation]
	if from == nil {
		return p
	}
	size := image.Rect(0, 0, w, h)
	if orientation >= 5 {
		size = image.Rect(0, 0, h, w)
	}
	turned := image.NewNRGBA(size)
	for y := range size.Dy() {
		for x := range size.Dx() {
			fromX, fromY := from(x, y)
			turned.SetNRGBA(x, y, p.NRGBAAt(fromX, fromY))
		}
	}
	return turned
}
