//! sasrun-report
