//! Every call to Graph, each written here once: its name in metrics, its HTTP method, what it is called in messages, and
//! whether sending it again is harmless.

use http::Method;

/// Whether a request may be sent again when nobody knows if it was carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sending {
    /// The second time changes nothing more than the first.
    Repeatable,
    /// The second time may have an effect of its own: a second job, progress discarded twice.
    Once,
}

macro_rules! operations {
    ($($name:ident: $method:ident $words:literal, $sending:ident;)+) => {
        /// A call, for messages and metrics.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Operation { $(#[doc = $words] $name,)+ }

        impl Operation {
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// As metrics and traces name it.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)+ }
            }

            /// How a message begins.
            pub(super) const fn words(self) -> &'static str {
                match self { $(Self::$name => $words,)+ }
            }

            pub(super) const fn method(self) -> Method {
                match self { $(Self::$name => Method::$method,)+ }
            }

            pub const fn sending(self) -> Sending {
                match self { $(Self::$name => Sending::$sending,)+ }
            }
        }
    };
}

operations! {
    LogIn: POST "Logging in", Repeatable;
    ListJobs: GET "Listing the jobs", Repeatable;
    ListTemplates: GET "Listing the templates", Repeatable;
    GetServicePrincipal: GET "Reading the service principal", Repeatable;
    CreateJob: POST "Creating the job", Once;
    StartJob: POST "Starting the job", Repeatable;
    PauseJob: POST "Pausing the job", Repeatable;
    RestartJob: POST "Restarting the job", Once;
    DeleteJob: DELETE "Deleting the job", Repeatable;
}
