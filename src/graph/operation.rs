//! Every call to Graph, each written here once: its name in metrics, its HTTP method, and what it is called in messages.

use http::Method;

macro_rules! operations {
    ($($name:ident: $method:ident $words:literal;)+) => {
        /// A call, for messages and metrics.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Operation { $(#[doc = $words] $name,)+ }

        impl Operation {
            /// As metrics and traces name it.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)+ }
            }

            /// How a message begins.
            pub(super) const fn words(self) -> &'static str {
                match self { $(Self::$name => $words,)+ }
            }

            /// Whether it counts as a write.
            pub(super) fn is_write(self) -> bool {
                self.method() != Method::GET
            }

            pub(super) const fn method(self) -> Method {
                match self { $(Self::$name => Method::$method,)+ }
            }
        }
    };
}

operations! {
    LogIn: POST "Logging in";
    ListJobs: GET "Listing the jobs";
    ListTemplates: GET "Listing the templates";
    ListServicePrincipals: GET "Listing the service principals";
    GetServicePrincipal: GET "Reading the service principal";
    CreateJob: POST "Creating the job";
    StartJob: POST "Starting the job";
    PauseJob: POST "Pausing the job";
    RestartJob: POST "Restarting the job";
    DeleteJob: DELETE "Deleting the job";
    ListSecrets: GET "Reading the credentials and settings";
    SaveSecrets: PUT "Saving the credentials and settings";
    TestCredentials: POST "Testing the credentials";
    ReadSchema: GET "Reading the schema";
    ReadTemplateSchema: GET "Reading the schema of the template";
    SaveSchema: PUT "Saving the schema";
    ParseExpression: POST "Parsing the expression";
    ListFilterOperators: GET "Listing the operators of filters";
}

impl Operation {
    /// Whether Graph asks the target of a job before it answers: how long that takes, and whether there is an answer at all,
    /// then says nothing about Graph.
    pub(super) const fn asks_target(self) -> bool {
        matches!(self, Self::TestCredentials)
    }

    /// Whether the text of a refusal may hold what was sent, or what a target answered: headers, tokens, people.
    pub(super) const fn may_echo(self) -> bool {
        matches!(self, Self::SaveSecrets | Self::TestCredentials)
    }
}
