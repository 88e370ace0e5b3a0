package api

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/jpeg"
	"testing"
)

// exif is what a camera writes before the picture.
func exif(order binary.AppendByteOrder, mark string, value uint16) []byte {
	tiff := order.AppendUint32(order.AppendUint16([]byte(mark), 42), 8)
	tiff = order.AppendUint16(tiff, 2)
	for _, entry := range [][2]uint16{{271, 9}, {274, value}} {
		tiff = order.AppendUint32(order.AppendUint16(order.AppendUint16(tiff, entry[0]), 3), 1)
		tiff = order.AppendUint16(order.AppendUint16(tiff, entry[1]), 0)
	}
	tiff = append([]byte("Exif\x00\x00"), order.AppendUint32(tiff, 0)...)
	segment := binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(len(tiff)+2))
	return append(segment, tiff...)
}

// A picture stands upright, however the camera was held. It is 40 by 20 pixels, red above on the left.
func TestPicturesStandUpright(t *testing.T) {
	taken := image.NewRGBA(image.Rect(0, 0, 40, 20))
	for y := range 20 {
		for x := range 40 {
			c := color.RGBA{0, 0, 255, 255}
			if x < 20 && y < 10 {
				c = color.RGBA{255, 0, 0, 255}
			}
			taken.Set(x, y, c)
		}
	}
	var plain bytes.Buffer
	if err := jpeg.Encode(&plain, taken, nil); err != nil {
		t.Fatal(err)
	}
	f := form{side: 100, maxPixels: 10_000}
	for value, want := range map[uint16]image.Rectangle{ // where red is then
		0: image.Rect(0, 0, 20, 10), 1: image.Rect(0, 0, 20, 10), 2: image.Rect(20, 0, 40, 10), 3: image.Rect(20, 10, 40, 20), 4: image.Rect(0, 10, 20, 20),
		5: image.Rect(0, 0, 10, 20), 6: image.Rect(10, 0, 20, 20), 7: image.Rect(10, 20, 20, 40), 8: image.Rect(0, 20, 10, 40), 9: image.Rect(0, 0, 20, 10),
	} {
		for mark, order := range map[string]binary.AppendByteOrder{"MM": binary.BigEndian, "II": binary.LittleEndian} {
			file := append(append([]byte{0xff, 0xd8}, exif(order, mark, value)...), plain.Bytes()[2:]...)
			p, err := f.picture(file)
			if err != nil {
				t.Fatal(err)
			}
			got, err := jpeg.Decode(bytes.NewReader(p.Data))
			if err != nil {
				t.Fatal(err)
			}
			if p.Width != got.Bounds().Dx() || p.Height != got.Bounds().Dy() || bytes.Contains(p.Data, []byte("Exif")) {
				t.Errorf("%d: %d x %d", value, p.Width, p.Height)
			}
			for y := range p.Height {
				for x := range p.Width {
					if r, _, b, _ := got.At(x, y).RGBA(); image.Pt(x, y).In(want.Inset(2)) && r < b || !image.Pt(x, y).In(want.Inset(-2)) && r > b {
						t.Fatalf("%d %s: at %d, %d", value, mark, x, y)
					}
				}
			}
		}
	}
}

func FuzzOrientation(f *testing.F) {
	f.Add([]byte{0xff, 0xd8})
	f.Add(append([]byte{0xff, 0xd8}, exif(binary.BigEndian, "MM", 6)...))
	f.Add(append([]byte{0xff, 0xd8}, exif(binary.LittleEndian, "II", 8)...))
	f.Fuzz(func(t *testing.T, file []byte) {
		if o := orientation(file); o < 1 || o > 8 {
			t.Error(o)
		}
	})
}
