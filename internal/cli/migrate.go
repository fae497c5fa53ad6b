package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/segue-xm/segue/internal/data/db"
)

type migrateCommand struct {
	DataDir     string `default:".segue" env:"SEGUE_DATA_DIR" placeholder:"DIR" help:"Where the SQLite file is."`
	DatabaseURL string `env:"SEGUE_DATABASE_URL" placeholder:"URL" help:"sqlite://path or postgres://…; default SQLite in the data directory."`
}

// Run runs the command.
func (c *migrateCommand) Run(p *Program) error {
	ctx, stop := p.interruptible()
	defer stop()
	if c.DatabaseURL == "" {
		c.DatabaseURL = defaultDatabase(c.DataDir)
	}
	if path, ok := strings.CutPrefix(c.DatabaseURL, "sqlite://"); ok {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
	}
	d, err := db.Open(ctx, db.Options{URL: c.DatabaseURL})
	if err != nil {
		return err
	}
	defer d.Close()
	version, err := d.SchemaVersion(ctx)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.Out, "database at version %d\n", version)
	return err
}
