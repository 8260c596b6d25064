//! `helmChartInflationGenerator` becomes `helmCharts` and, where charts have a home, `helmGlobals`.

use weir_yaml::{Data, Node, emit};

use super::text::{Edits, Lines, indented_item};
use crate::lint::source::{Source, text};

/// Old names of fields and new ones; what is not here has no successor.
const NAMES: [(&str, &str); 7] = [
    ("chartName", "name"),
    ("chartVersion", "version"),
    ("chartRepoUrl", "repo"),
    ("values", "valuesFile"),
    ("valuesLocal", "valuesInline"),
    ("valuesMerge", "valuesMerge"),
    ("releaseName", "releaseName"),
];

pub(super) fn edit(source: &Source, lines: &Lines<'_>) -> Option<Edits> {
    let old = lines.section(source, "helmChartInflationGenerator")?;
    // Charts and globals that are there already would have to be merged.
    if source.field("helmCharts").is_some() || source.field("helmGlobals").is_some() {
        return None;
    }
    let charts = old.value.items()?;
    let homes = charts.iter().rev().map(|chart| text(chart, "chartHome"));
    let home = homes.into_iter().find(|home| !home.is_empty());
    let mut new = format!("helmCharts:{}", lines.end);
    for chart in charts {
        let mut chart = chart.clone();
        let Data::Mapping(entries) = chart.data_mut() else {
            return None;
        };
        entries.retain_mut(|(key, _)| {
            let name = key
                .as_str()
                .and_then(|key| NAMES.iter().find(|(old, _)| old.eq_ignore_ascii_case(key)));
            if let Some((_, name)) = name {
                key.set_data(Data::Scalar((*name).into()));
            }
            name.is_some()
        });
        new.push_str(&indented_item(&emit::kyaml(&chart), lines.end));
    }
    if let Some(home) = home {
        let home = emit::kyaml(&Node::string(home));
        let (end, home) = (lines.end, home.trim_end());
        new = format!("{new}helmGlobals:{end}  chartHome: {home}{end}");
    }
    let mut edits = Edits::default();
    edits.replace(old.key..old.stop, new);
    Some(edits)
}
