//! The states that people and machines have to tell apart, each as a story that ends in it.

mod birth;
mod credentials;
mod life;
mod mappings;
mod modes;
mod trouble;

use super::story::Story;

/// States of one kind, under one heading.
pub struct Section {
    pub title: &'static str,
    pub states: Vec<State>,
}

pub struct State {
    /// Names the manifest.
    pub name: String,
    /// For people.
    pub title: String,
    pub story: Story,
}

pub fn all() -> Vec<Section> {
    vec![
        Section { title: "Until there is a job", states: birth::states() },
        Section { title: "Trouble with Graph, the login or the cluster", states: trouble::states() },
        Section { title: "While there is a job", states: life::states() },
        Section { title: "What the service does to a job", states: life::service() },
        Section { title: "Credentials and settings", states: credentials::states() },
        Section { title: "Mappings", states: mappings::states() },
        Section { title: "Modes", states: modes::states() },
        Section { title: "Deletion", states: modes::deletion() },
    ]
}

fn state(name: &str, title: &str, story: Story) -> State {
    State { name: name.to_owned(), title: title.to_owned(), story }
}

/// The same, and once more after the trouble has lasted longer than it is given.
fn also_lasting(name: &str, title: &str, story: impl Fn() -> Story) -> [State; 2] {
    let lasting = lasting(story());
    [
        state(name, title, story()),
        state(&format!("{name}-for-long"), &format!("{title}, for more than five minutes"), lasting),
    ]
}

fn lasting(mut story: Story) -> Story {
    story.wait(6);
    story.pass();
    story
}

/// After one pass.
fn passed(mut story: Story) -> Story {
    story.pass();
    story
}

/// The job was created and started, and the service schedules it.
fn running() -> Story {
    let mut story = passed(Story::new());
    story.graph.shows("Active");
    story.wait(2);
    passed(story)
}

/// What is told when something happened to a job that ran.
fn running_until(change: impl FnOnce(&mut Story)) -> Story {
    let mut story = running();
    story.wait(20);
    change(&mut story);
    passed(story)
}
