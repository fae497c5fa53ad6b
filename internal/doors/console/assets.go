package console

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"path"

	"github.com/gofiber/fiber/v2"
)

//go:embed assets
var assetFiles embed.FS

// assetHash names the whole set, so that modules can import each other by their
// plain names and a new version never mixes with an old one.
var assetHash = hashAssets()

func hashAssets() string {
	h := sha256.New()
	_ = fs.WalkDir(assetFiles, "assets", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			b, _ := assetFiles.ReadFile(name)
			h.Write([]byte(name))
			h.Write(b)
		}
		return nil
	})
	return hex.EncodeToString(h.Sum(nil))[:12]
}

func assetPath(name string) string { return "/assets/" + assetHash + "/" + name }

var assetTypes = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
}

// asset serves one embedded file. Any hash will do, but only the right one may be
// kept for ever.
func (c *Console) asset(x *fiber.Ctx) error {
	name := x.Params("name")
	kind, ok := assetTypes[path.Ext(name)]
	if !ok {
		return fiber.ErrNotFound
	}
	b, err := assetFiles.ReadFile("assets/" + name)
	if err != nil {
		return fiber.ErrNotFound
	}
	x.Set(fiber.HeaderContentType, kind)
	x.Set("X-Content-Type-Options", "nosniff")
	if x.Params("hash") == assetHash {
		x.Set(fiber.HeaderCacheControl, "public, max-age=31536000, immutable")
	} else {
		x.Set(fiber.HeaderCacheControl, "no-cache")
	}
	return x.Send(b)
}
