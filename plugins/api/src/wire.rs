//! Messages between sasrun and a plugin process, one JSON object per line.
