//! Columns.

/// Rows under headings, printed as kubectl and flux print them: columns padded, two or more blanks between.
#[derive(Debug)]
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(headings: &[&str]) -> Self {
        Self {
            rows: vec![headings.iter().map(|&heading| heading.to_owned()).collect()],
        }
    }

    pub(crate) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// The text; the last column is not padded, and line breaks in cells become blanks.
    pub(crate) fn render(&self) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or_default();
        let width = |column: usize| {
            self.rows
                .iter()
                .filter_map(|row| row.get(column))
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or_default()
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let mut out = String::new();
        for row in &self.rows {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(&widths) {
                let cell = cell.replace(['\n', '\r', '\t'], " ");
                line.push_str(&cell);
                line.push_str(&" ".repeat(width.saturating_sub(cell.chars().count()) + 3));
            }
            out.push_str(line.trim_end());
            out.push('\n');
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_rows_stay_rows() {
        let mut table = Table::new(&["NAME", "MESSAGE"]);
        table.row(vec!["a-long-name".into(), "two\nlines".into()]);
        assert_eq!(table.render(), "NAME          MESSAGE\na-long-name   two lines\n");
    }
}
