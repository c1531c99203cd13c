//! What spin's web server answers: its menu and the Mesh State page, with the faults of the scenario.

use serde_json::json;

use super::mesh;
use super::page::{self, Cell, Row};
use crate::standin::fault::{Markup, Page, PageCount, PageWord};
use crate::standin::response::timestamp::{Form, now};
use crate::standin::site::{self, Site};
use crate::standin::store::StoreError;
use crate::standin::web::server::{Request, Response};

/// Names of certificates that the pages accept.
const ACCEPTED: &[&str] = &["spin", "spin-developer", "spog-developer", "browser"];

/// The page when nothing is staged.
const TRUTH: Page = Page::Word(PageWord::Truth);

/// Path of the Mesh State page.
pub const MESH_STATE: &str = "/mesh_state";

/// Answers a request.
pub fn answer(site: &Site, request: &Request) -> Response {
    if !ACCEPTED.contains(&request.certificate.as_str()) {
        return refused(&request.certificate);
    }
    let path = request.path.to_lowercase();
    if path.contains("mesh") {
        return mesh_state(site, &request.certificate);
    }
    if path == "/" || path.starts_with("/index") {
        return Response::page(format!(
            "<html><head><title>Data Access Engine</title></head><body>\n<h2>Administration</h2>\n\
             <a href=\"{MESH_STATE}\">Mesh State</a>\n</body></html>\n"
        ));
    }
    Response::error(404, "Not Found")
}

fn refused(certificate: &str) -> Response {
    Response::error(
        403,
        &format!("Forbidden: client certificate \"{certificate}\" is not authorized"),
    )
}

fn mesh_state(site: &Site, certificate: &str) -> Response {
    let shown = next_page(site);
    site::log_read(
        "spin.mesh_state",
        json!({"page": shown, "black": is_black(site, &shown)}),
    );
    let word = match shown {
        Page::Word(word) => word,
        Page::Counted(PageCount { colour, count }) => {
            return table(site, &staged_rows(site, &colour, count));
        }
    };
    match word {
        PageWord::Truth => match true_rows(site) {
            Ok(rows) => table(site, &rows),
            Err(error) => Response::error(500, &error.to_string()),
        },
        PageWord::Black => table(site, &staged_rows(site, "black", 5000)),
        PageWord::Empty => table(site, &[]),
        PageWord::Error => Response::error(500, "Internal Server Error"),
        PageWord::Login => Response::page(
            "<html><head><title>Login</title></head><body><form method=\"post\">User <input name=\"user\"> \
             Password <input type=\"password\" name=\"password\"></form></body></html>\n"
                .to_owned(),
        ),
        PageWord::Refused => refused(certificate),
    }
}

/// Whether a page shows transactions and every one of them black, for those who judge the log.
fn is_black(site: &Site, page: &Page) -> bool {
    match page {
        Page::Counted(PageCount { colour, count }) => colour == "black" || *count == 0,
        Page::Word(PageWord::Black) => true,
        Page::Word(PageWord::Truth) => true_rows(site).is_ok_and(|rows| {
            let mut cells = rows.iter().flat_map(|row| &row.cells);
            cells.all(|cell| cell.colour == "black")
        }),
        Page::Word(_) => false,
    }
}

/// The page that is due: of the scenario's list one per poll, then the truth.
fn next_page(site: &Site) -> Page {
    let faults = site.core_faults().mesh_state;
    if faults.pages.is_empty() || !site.is_past(faults.from.as_ref()) {
        return TRUTH;
    }
    let polls = site.mesh_scratch::<usize>(&format!("polls.{}", site.host.core));
    let poll = polls.update(|count| {
        *count += 1;
        *count - 1
    });
    let last = if faults.hold_last {
        faults.pages.last()
    } else {
        None
    };
    poll.ok()
        .and_then(|poll| faults.pages.get(poll))
        .or(last)
        .cloned()
        .unwrap_or(TRUTH)
}

fn table(site: &Site, rows: &[Row]) -> Response {
    let markup = match site.core_faults().mesh_state.markup {
        Markup::ByCore => page::markup_of_facility(site.host.facility.id),
        chosen => chosen,
    };
    Response::page(page::render(
        site.host.dc(),
        &Form::Dashed.write(now()),
        markup,
        rows,
    ))
}

/// One row for every pair of facilities, with `cells` of the roads that begin at the source.
fn rows(site: &Site, cells: impl Fn(&str) -> Vec<Cell>) -> Vec<Row> {
    let mut rows = Vec::new();
    for from in &site.world.cores {
        for to in site.world.cores.iter().filter(|to| to.name != from.name) {
            let cells = if from.source {
                cells(&to.name)
            } else {
                vec![Cell::new(12, "black")]
            };
            rows.push(Row {
                from: from.facility.name.clone(),
                to: to.facility.name.clone(),
                cells,
            });
        }
    }
    rows
}

fn staged_rows(site: &Site, colour: &str, count: u64) -> Vec<Row> {
    rows(site, |_| {
        vec![Cell::new(120, "black"), Cell::new(count, colour)]
    })
}

fn true_rows(site: &Site) -> Result<Vec<Row>, StoreError> {
    let traffic = mesh::now(site)?;
    Ok(rows(site, |core| {
        let road = traffic.roads.get(core).cloned().unwrap_or_default();
        let mut cells = vec![Cell::new(road.received, "black")];
        if road.pending > 0 {
            cells.push(Cell::new(road.pending, "yellow"));
        }
        if road.conflicts > 0 {
            cells.push(Cell::new(road.conflicts, "red"));
        }
        cells
    }))
}
