//! A scrape in Prometheus' text format, read without the library that wrote it.

use std::collections::BTreeMap;

use regex::Regex;

#[derive(Debug, Default)]
pub struct Scrape {
    pub text: String,
    pub families: BTreeMap<String, Family>,
    pub samples: Vec<Sample>,
}

#[derive(Debug, Default)]
pub struct Family {
    pub kind: String,
    pub help: String,
}

#[derive(Clone, Debug)]
pub struct Sample {
    /// With the suffix that a histogram's samples have.
    pub name: String,
    /// As they stand there.
    pub labels: Vec<(String, String)>,
    pub value: f64,
}

impl Scrape {
    pub fn parse(text: &str) -> Self {
        let sample = Regex::new(r"^([a-z_]+)(?:\{(.*)\})? (\S+)$").unwrap();
        let label = Regex::new(r#"([a-z_]+)="((?:[^"\\]|\\.)*)""#).unwrap();
        let mut scrape = Self { text: text.to_owned(), ..Self::default() };
        for line in text.lines() {
            let words: Vec<&str> = line.splitn(4, ' ').collect();
            match words[..] {
                ["#", "HELP", name, help] => help.clone_into(&mut scrape.family(name).help),
                ["#", "TYPE", name, kind] => kind.clone_into(&mut scrape.family(name).kind),
                _ => {
                    let found = sample.captures(line).unwrap_or_else(|| panic!("not a sample: {line}"));
                    let labels = found.get(2).map_or("", |labels| labels.as_str());
                    let labels = label.captures_iter(labels).map(|one| (one[1].to_owned(), one[2].to_owned()));
                    let (name, value) = (found[1].to_owned(), found[3].parse().unwrap());
                    scrape.samples.push(Sample { name, labels: labels.collect(), value });
                }
            }
        }
        scrape
    }

    fn family(&mut self, name: &str) -> &mut Family {
        self.families.entry(name.to_owned()).or_default()
    }

    /// The samples of a family; of a histogram those of its parts.
    pub fn of(&self, family: &str) -> Vec<&Sample> {
        let histogram = self.families.get(family).is_some_and(|family| family.kind == "histogram");
        let is_part = |name: &str| {
            let suffix = name.strip_prefix(family);
            suffix == Some("") || (histogram && suffix.is_some_and(|end| ["_bucket", "_sum", "_count"].contains(&end)))
        };
        self.samples.iter().filter(|sample| is_part(&sample.name)).collect()
    }

    /// The sum over all samples of this name that have these labels.
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let has = |sample: &&Sample| {
            sample.name == name && labels.iter().all(|(label, value)| sample.get(label) == Some(value))
        };
        self.samples.iter().filter(has).map(|sample| sample.value).sum()
    }

    /// How many series belong to an object, and how many do not.
    pub fn series(&self) -> (usize, usize) {
        let of_objects = self.samples.iter().filter(|sample| sample.get("namespace").is_some()).count();
        (of_objects, self.samples.len() - of_objects)
    }
}

impl Sample {
    pub fn get(&self, label: &str) -> Option<&str> {
        self.labels.iter().find(|(name, _)| name == label).map(|(_, value)| value.as_str())
    }
}
