"""From official files to graphs: catalogue, download, one reader for each format."""
